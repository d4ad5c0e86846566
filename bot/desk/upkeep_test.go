package desk

import (
	"context"
	"testing"
	"time"

	"pulang/bot"
)

// An admin sees what was done when, what is overdue, what never was, and what was found.
func TestUpkeep(t *testing.T) {
	w := newWorld(t)
	admin := w.as("admin")
	admin.get("/upkeep").want(200, "20 mnt", "belum pernah", "tidak seperti saat ditulis", "hotline drill restore").lacks("terlambat</span>")
	w.advance(2 * time.Hour)
	w.d.Upkeep = func(context.Context) ([]bot.Upkeep, error) {
		return []bot.Upkeep{{What: "backup", At: w.clock().Add(-121 * time.Minute), Old: 2 * time.Hour},
			{What: "verify", At: w.clock(), Old: 2 * time.Hour, Failed: w.clock().Add(-time.Hour)}}, nil
	}
	admin = w.as("admin")
	admin.get("/upkeep").want(200, "terlambat</span>", "baik</span>", "tidak seperti saat ditulis").lacks("hotline drill restore")
	w.as("supervisor").get("/upkeep").want(403)
}
