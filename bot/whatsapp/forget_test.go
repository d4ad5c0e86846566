package whatsapp

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"

	"pulang/bot/whatsapp/whatsapptest"
)

// holds are the tables and columns of a SQLite store in which one of the words stands, also inside binary values.
func holds(t *testing.T, db *sql.DB, words ...string) []string {
	t.Helper()
	rows, err := db.Query("SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var columns [][2]string
	for rows.Next() {
		var c [2]string
		if err := rows.Scan(&c[0], &c[1]); err != nil {
			t.Fatal(err)
		}
		columns = append(columns, c)
	}
	if len(columns) < 40 {
		t.Fatalf("only %d columns", len(columns))
	}
	var out []string
	for _, c := range columns {
		for _, w := range words {
			var n int
			q := fmt.Sprintf("SELECT count(*) FROM %q WHERE instr(CAST(%q AS BLOB), CAST($1 AS BLOB)) > 0", c[0], c[1])
			if err := db.QueryRow(q, w).Scan(&n); err != nil {
				t.Fatal(c, err)
			}
			if n > 0 {
				out = append(out, fmt.Sprintf("%s.%s: %q", c[0], c[1], w))
			}
		}
	}
	return out
}

// A person who was erased is in no table of the device store, and not in its files either: number, hidden address,
// name, what was said and what was answered. Others stay, and the person may come again.
func TestForgottenPersonIsInNoTable(t *testing.T) {
	for name, shows := range map[string]whatsapptest.Shows{"number first": whatsapptest.OnlyNumber, "LID first": whatsapptest.OnlyLID} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil).link().start().up()
			budi := r.srv.Citizen("+62 812 0000 002").Shows(shows)
			other := r.srv.Citizen("+62 813 0000 003")
			budi.Say(r.number, "aku di Kenangabiru")
			budi.Location(r.number, 11.07, 106.16)
			budi.Say(r.number, "lagi", whatsapptest.As(whatsapptest.BothByLID))
			other.Say(r.number, "halo")
			from := r.keeper.wait(t, 4)[0].From
			if _, err := r.send(from, "row1", "Jawaban Melatiungu"); err != nil {
				t.Fatal(err)
			}
			budi.WaitFor("Melatiungu")
			r.number.WaitSettled()
			words := []string{budi.Number(), budi.LID().User, budi.Name(), "Kenangabiru", "Melatiungu"}
			db := r.c.current.Load().dev.db
			if got := holds(t, db, words...); len(got) < 5 {
				t.Fatalf("before, the search finds only %v", got)
			}
			until(t, "everything to be forgotten", func() bool { // receipts that are still coming in bring an address back
				if err := r.c.Forget(t.Context(), from.Address); err != nil {
					t.Fatal(err)
				}
				return len(holds(t, db, words...)) == 0
			})
			if got := holds(t, db, other.Number()); len(got) == 0 {
				t.Error("somebody else was forgotten as well")
			}
			for _, f := range []string{r.o.Store, r.o.Store + "-wal"} {
				raw, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				for _, w := range words {
					if bytes.Contains(raw, []byte(w)) {
						t.Errorf("%s is still in %s", w, f[strings.LastIndex(f, "/")+1:])
					}
				}
			}
			budi.Say(r.number, "saya kembali")
			if m := r.keeper.wait(t, 5); m[4].Input.Text != "saya kembali" {
				t.Errorf("got %+v", m[4].Input)
			}
		})
	}
}
