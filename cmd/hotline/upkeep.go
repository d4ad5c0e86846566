package main

import (
	"context"
	"time"

	"pulang/bot"
	"pulang/bot/store"
)

// verifyOld is the age from which on a look at the audit log is overdue.
const verifyOld = 8 * 24 * time.Hour

// upkeep tells the desk what `check` and the metrics tell: when the data was last made safe and tried.
func (s *service) upkeep(ctx context.Context) ([]bot.Upkeep, error) {
	ops, err := s.store.Ops(ctx)
	if err != nil {
		return nil, err
	}
	return []bot.Upkeep{
		{What: "backup", At: ops[store.OpBackup].At, Old: backupOld},
		{What: "drill", At: ops[store.OpDrill].At, Old: drillOld},
		{What: "verify", At: ops[store.OpVerify].At, Old: verifyOld, Failed: ops[store.OpVerifyBroken].At},
	}, nil
}
