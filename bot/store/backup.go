package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pulang/bot/whole"
)

// Manifest says what a backup holds. It stands beside the copy, in clear: numbers, times and links of the audit
// chain. The key file is never part of a backup.
type Manifest struct {
	Format int `json:"format"`
	// MadeAt is when the copy was begun: what was acknowledged before that is in it.
	MadeAt  time.Time    `json:"made_at"`
	Program string       `json:"program,omitempty"`
	Mode    string       `json:"mode"`
	Schema  int          `json:"schema"`
	Files   []BackupFile `json:"files"`
	Lines   []LineCensus `json:"lines"`
	// Audit are the ends of the audit chains.
	Audit []AuditHead `json:"audit"`
	// Heard is when each account of a channel was last known to be heard, by line and account: the messages that are
	// missing after a restore came later.
	Heard map[string]map[string]time.Time `json:"heard,omitempty"`
	// Dir is where the backup is; not stored.
	Dir string `json:"-"`
}

// Cases is the number of cases in the backup.
func (m Manifest) Cases() (n int) {
	for _, l := range m.Lines {
		n += l.Cases
	}
	return n
}

const (
	manifestFormat = 1
	manifestName   = "manifest.json"
	backupPrefix   = "hotline-"
	backupTime     = "20060102T150405.000Z"
	unfinished     = ".unfinished-"
)

// Backup writes a copy of the whole store below dir and gives its manifest. The copy is of one moment (in a Cluster
// of one for each primary, so of one for each line), what is sealed in it stays sealed, and it counts only when it
// was loaded into a redis-server of its own, its cases open and its audit chains hold. That server needs as much
// memory as the store for a while.
func (s *Store) Backup(ctx context.Context, dir, program string) (Manifest, error) {
	m := Manifest{Format: manifestFormat, MadeAt: s.clock().UTC(), Program: program, Schema: schema}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	if _, err := findServer(); err != nil {
		return m, fmt.Errorf("backup: it is tried in a server of its own: %w", err)
	}
	for _, old := range leftovers(dir) { // of a backup that was killed
		_ = os.RemoveAll(old)
	}
	tmp, err := os.MkdirTemp(dir, unfinished)
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // gone by then when all went well
	if m.Files, err = s.copyTo(ctx, tmp); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	m.Mode, err = s.rdb.HGet(ctx, keyMark(), "mode").Result()
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	m.Dir = tmp
	found, err := s.inspect(ctx, m)
	if err != nil {
		return m, fmt.Errorf("backup: the copy was thrown away: %w", err)
	}
	m.Lines, m.Audit, m.Heard = found.Lines, found.Audit, found.Heard
	raw, err := json.MarshalIndent(m, "", "  ")
	if err == nil {
		err = writeSynced(filepath.Join(tmp, manifestName), append(raw, '\n'))
	}
	if err == nil {
		err = whole.SyncDir(tmp)
	}
	m.Dir = filepath.Join(dir, backupPrefix+m.MadeAt.Format(backupTime))
	if err == nil {
		err = os.Rename(tmp, m.Dir)
	}
	if err == nil {
		err = whole.SyncDir(dir)
	}
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	return m, nil
}

// leftovers are directories of backups that were killed an hour ago or longer.
func leftovers(dir string) (out []string) {
	all, _ := filepath.Glob(filepath.Join(dir, unfinished+"*"))
	for _, p := range all {
		if st, err := os.Stat(p); err == nil && time.Since(st.ModTime()) > time.Hour {
			out = append(out, p)
		}
	}
	return out
}

func writeSynced(path string, raw []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // in the directory of the backup
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Sync(), f.Close())
}

// Backups reads the manifests below dir, the newest first. What is no backup is passed over.
func Backups(dir string) ([]Manifest, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("backups: %w", err)
	}
	var out []Manifest
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), backupPrefix) {
			continue
		}
		if m, err := ReadManifest(filepath.Join(dir, e.Name())); err == nil {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b Manifest) int { return b.MadeAt.Compare(a.MadeAt) })
	return out, nil
}

// ReadManifest reads the manifest of one backup.
func ReadManifest(dir string) (Manifest, error) {
	var m Manifest
	raw, err := os.ReadFile(filepath.Join(dir, manifestName)) //nolint:gosec // the operator names the directory
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	if json.Unmarshal(raw, &m) != nil || m.Format != manifestFormat || len(m.Files) == 0 || m.MadeAt.IsZero() {
		return m, fmt.Errorf("backup %s: its manifest is not one of this program", dir)
	}
	m.Dir = dir
	return m, nil
}

// FindBackup is the backup that path names: itself, or the newest below it.
func FindBackup(path string) (Manifest, error) {
	path, err := filepath.Abs(path) // a redis-server that looks at it stands elsewhere
	if err != nil {
		return Manifest{}, err
	}
	if _, err := os.Stat(filepath.Join(path, manifestName)); err == nil {
		return ReadManifest(path)
	}
	all, err := Backups(path)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("no backup in %s", path)
	}
	if err != nil {
		return Manifest{}, err
	}
	return all[0], nil
}

// Keep is how long backups are kept: all of the last two hours, one an hour for Hourly, one a day for Daily.
type Keep struct{ Hourly, Daily time.Duration }

// everyFor is how long each single backup is kept.
const everyFor = 2 * time.Hour

// Prune removes the backups below dir whose time is over, and gives their number. The newest always stays. Keeping
// them longer than Daily would keep what was erased.
func (k Keep) Prune(dir string, now time.Time) (int, error) {
	all, err := Backups(dir)
	if err != nil {
		return 0, err
	}
	removed := 0
	taken := map[string]bool{}
	for i, m := range all {
		age := now.Sub(m.MadeAt)
		slot := ""
		switch {
		case i == 0 || age < everyFor:
			slot = m.MadeAt.Format(time.RFC3339Nano)
		case age < k.Hourly:
			slot = m.MadeAt.UTC().Format("2006-01-02T15")
		case age < k.Daily:
			slot = m.MadeAt.UTC().Format("2006-01-02")
		}
		if slot != "" && !taken[slot] {
			taken[slot] = true
			continue
		}
		if err := os.RemoveAll(m.Dir); err != nil {
			return removed, fmt.Errorf("prune backups: %w", err)
		}
		removed++
	}
	return removed, nil
}

// CheckFiles compares the files of a backup with its manifest.
func (m Manifest) CheckFiles() error {
	for _, want := range m.Files {
		if want.Name != filepath.Base(want.Name) {
			return fmt.Errorf("backup %s: its manifest names a file elsewhere", m.Dir)
		}
		f, err := os.Open(filepath.Join(m.Dir, want.Name))
		if err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		sum := sha256.New()
		n, err := io.Copy(sum, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		if n != want.Bytes || hex.EncodeToString(sum.Sum(nil)) != want.SHA256 {
			return fmt.Errorf("backup %s: %s is not as it was written", m.Dir, want.Name)
		}
	}
	return nil
}
