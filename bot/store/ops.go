package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// The operations whose last time is remembered.
const (
	OpBackup  = "backup"
	OpDrill   = "drill"
	OpRestore = "restore"
	// OpVerify is a look at the audit log that found every row as it was written, OpVerifyBroken one that did not.
	OpVerify       = "verify"
	OpVerifyBroken = "verify_broken"
)

// Op is the last backup, drill or restore that succeeded.
type Op struct {
	At    time.Time `json:"at"`
	Cases int       `json:"cases"`
	// Of is when the copy was made that was tried or restored.
	Of time.Time `json:"of,omitzero"`
}

// NoteOp remembers that an operation succeeded.
func (s *Store) NoteOp(ctx context.Context, what string, op Op) error {
	raw, err := json.Marshal(op)
	if err == nil {
		err = s.rdb.HSet(ctx, keyOps(), what, raw).Err()
	}
	if err != nil {
		return fmt.Errorf("note %s: %w", what, err)
	}
	return nil
}

// Ops are the operations that succeeded last, by kind; one that never did is absent.
func (s *Store) Ops(ctx context.Context) (map[string]Op, error) {
	all, err := s.rdb.HGetAll(ctx, keyOps()).Result()
	if err != nil {
		return nil, fmt.Errorf("last operations: %w", err)
	}
	out := map[string]Op{}
	for what, raw := range all {
		var op Op
		if json.Unmarshal([]byte(raw), &op) == nil {
			out[what] = op
		}
	}
	return out, nil
}
