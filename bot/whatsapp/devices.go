package whatsapp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	_ "github.com/jackc/pgx/v5/stdlib" // the Postgres driver of the device store
	"github.com/lib/pq"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	waLog "go.mau.fi/whatsmeow/util/log"
	_ "modernc.org/sqlite" // the SQLite driver of the device store
)

// ErrLocked means that another process of this machine uses the device store.
var ErrLocked = errors.New("another process uses the WhatsApp device store")

// devices is the open device store: the library's own tables, and one of ours for who is who (people.go).
type devices struct {
	db        *sql.DB
	container *sqlstore.Container
	lock      *os.File // SQLite only
	secrets   []secret // as tidy found them last
}

// isPostgres tells a URL from a path.
func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// sqliteDSN waits for a lock rather than failing, and takes the write lock when a transaction begins: otherwise two of
// them that read first and write later fail with "database is locked", and a message with them.
func sqliteDSN(path, mode string) string {
	v := "_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=secure_delete(1)&_txlock=immediate"
	if mode != "" {
		v = "mode=" + mode + "&_pragma=busy_timeout(10000)"
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + v
}

// openDevices opens the device store for a connection. A SQLite file is one process's at a time: ErrLocked otherwise.
func openDevices(ctx context.Context, dsn string, log waLog.Logger) (*devices, error) {
	d := &devices{}
	var err error
	if isPostgres(dsn) {
		sqlstore.PostgresArrayWrapper = pq.Array
		d.db, err = sql.Open("pgx", dsn)
	} else {
		if d.lock, err = lockFile(dsn); err != nil {
			return nil, err
		}
		d.db, err = sql.Open("sqlite", sqliteDSN(dsn, ""))
	}
	if err != nil {
		return nil, errors.Join(errors.New("whatsapp device store: not a store that can be opened"), d.close())
	}
	dialect := "sqlite"
	if isPostgres(dsn) {
		dialect = "postgres"
	}
	d.container = sqlstore.NewWithDB(d.db, dialect, log)
	if err := d.container.Upgrade(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("whatsapp device store: %w", plain(err)), d.close())
	}
	if err := d.upgradePeople(ctx); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// plain is a driver's error without the address of the database, which may hold a password.
func plain(err error) error {
	s := err.Error()
	if i := strings.Index(s, "://"); i >= 0 {
		return errors.New("the database does not answer")
	}
	return errors.New(mask(s))
}

func lockFile(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("whatsapp device store: %w", withoutPath(err))
	}
	// The database itself is created here, so that nobody else on the machine may read it.
	for _, p := range []string{path, path + ".lock"} {
		f, err := os.OpenFile(p, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("whatsapp device store: %w", withoutPath(err))
		}
		if p == path {
			_ = f.Close()
			continue
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			_ = f.Close()
			return nil, ErrLocked
		}
		return f, nil
	}
	return nil, ErrLocked
}

func withoutPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (d *devices) close() error {
	var err error
	if d.db != nil {
		err = d.db.Close()
	}
	if d.lock != nil {
		err = errors.Join(err, d.lock.Close())
	}
	return err
}

// device is the linked device of that number, or of the only number when it is empty; nil when there is none.
func (d *devices) device(ctx context.Context, number string) (*store.Device, error) {
	all, err := d.container.GetAllDevices(ctx)
	if err != nil {
		return nil, fmt.Errorf("whatsapp device store: %w", plain(err))
	}
	var found *store.Device
	for _, x := range all {
		if number == "" || x.ID.User == number {
			found = x // the one linked last, should there be several
		}
	}
	return found, nil
}

// drop deletes a number's device with its keys.
func (d *devices) drop(ctx context.Context, number string) error {
	all, err := d.container.GetAllDevices(ctx)
	if err != nil {
		return fmt.Errorf("whatsapp device store: %w", plain(err))
	}
	for _, x := range all {
		if x.ID.User != number {
			continue
		}
		if _, err := d.db.ExecContext(ctx, "DELETE FROM whatsmeow_device WHERE jid = $1", x.ID.String()); err != nil {
			return fmt.Errorf("whatsapp device store: %w", plain(err))
		}
	}
	return nil
}

// Linked is a number that is linked in a device store.
type Linked struct {
	Number string // digits
	Device int
}

// List reads which numbers are linked, beside a process that uses them. A store that does not exist yet has none.
func List(ctx context.Context, dsn string) ([]Linked, error) {
	var db *sql.DB
	var err error
	if isPostgres(dsn) {
		db, err = sql.Open("pgx", dsn)
	} else {
		if st, statErr := os.Stat(dsn); statErr != nil || st.Size() == 0 {
			return nil, nil
		}
		db, err = sql.Open("sqlite", sqliteDSN(dsn, "ro"))
	}
	if err != nil {
		return nil, errors.New("whatsapp device store: not a store that can be opened")
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SELECT jid FROM whatsmeow_device ORDER BY jid")
	if err != nil {
		if s := err.Error(); strings.Contains(s, "no such table") || strings.Contains(s, "does not exist") {
			return nil, nil
		}
		return nil, fmt.Errorf("whatsapp device store: %w", plain(err))
	}
	defer rows.Close()
	var out []Linked
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, fmt.Errorf("whatsapp device store: %w", plain(err))
		}
		j, err := types.ParseJID(s)
		if err != nil {
			return nil, errors.New("whatsapp device store: an address that is none")
		}
		out = append(out, Linked{Number: j.User, Device: int(j.Device)})
	}
	return out, rows.Err()
}

// linked reports whether the number (any, when empty) is among the linked ones.
func linked(all []Linked, number string) bool {
	for _, l := range all {
		if number == "" || l.Number == number {
			return true
		}
	}
	return false
}
