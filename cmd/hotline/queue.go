package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"pulang/bot"
)

// queueCmd reads the callback queue. The list is personal data: reading it writes an audit row.
type queueCmd struct {
	List queueList `cmd:"" help:"Open callbacks in the order in which the desk offers them."`
}

// mostListed bounds one reading of the queue.
const mostListed = 100_000

type queueList struct {
	JSON    bool   `name:"json" help:"One JSON object a line."`
	Mission string `placeholder:"CODE" help:"Only this mission."`
}

// Run writes the queue to standard output.
func (c *queueList) Run(ctx context.Context, s *Settings, io *streams) error {
	return withStore(ctx, s, io, func(st *opened) error {
		ms, err := chosen(st.missions, c.Mission)
		if err != nil {
			return err
		}
		out := bufio.NewWriter(io.out)
		table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		if !c.JSON {
			fmt.Fprintln(table, "CODE\tCLASS\tSTAGE\tDUE\tCREATED\tCLAIMED BY")
		}
		now := time.Now()
		for _, m := range ms {
			page, err := st.store.Queue(ctx, m.Code, now, mostListed)
			if err != nil {
				return fmt.Errorf("queue: %w", err)
			}
			if err := st.store.Record(ctx, m.Code, auditRow("queue_list", "")); err != nil {
				return fmt.Errorf("queue: nothing is shown without an audit row: %w", err)
			}
			for _, item := range page.Items {
				v := bot.QueueJSON(item, now, m.Rules())
				if c.JSON {
					line, err := json.Marshal(v)
					if err != nil {
						return fmt.Errorf("queue: %w", err)
					}
					fmt.Fprintf(printed{out}, "%s\n", line)
					continue
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", v.Code, v.Class, v.Stage, stamp(v.DueAt, m), stamp(v.CreatedAt, m), v.ClaimedBy)
			}
		}
		if !c.JSON {
			if err := table.Flush(); err != nil {
				return err
			}
		}
		return out.Flush()
	})
}

func stamp(t time.Time, m *bot.Mission) string {
	if t.IsZero() {
		return ""
	}
	return t.In(m.Location()).Format("2006-01-02 15:04")
}

// chosen are the missions that --mission names; all of them when it names none.
func chosen(all []*bot.Mission, code string) ([]*bot.Mission, error) {
	if code == "" {
		return all, nil
	}
	i := slices.IndexFunc(all, func(m *bot.Mission) bool { return strings.EqualFold(m.Code, code) })
	if i < 0 {
		return nil, usagef("--mission: no mission %q; there are: %s", code, codes(all))
	}
	return all[i : i+1], nil
}
