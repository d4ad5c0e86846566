package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"pulang/bot"
	"pulang/flows/casework"
)

var cardsScript = newReader("cards")

// Queue reads the queue page of a mission: the first limit cases in the order in which Next offers them, then those
// that officers hold, then those with a later attempt, limit of each at most. What it costs depends on limit, not on
// the length of the queue.
func (s *Store) Queue(ctx context.Context, mission string, now time.Time, limit int) (bot.QueuePage, error) {
	return s.QueueOf(ctx, mission, now, limit, bot.QueueFilter{})
}

// QueueOf is Queue, narrowed to a filter. Totals are those of the whole queue.
func (s *Store) QueueOf(ctx context.Context, mission string, now time.Time, limit int, filter bot.QueueFilter) (bot.QueuePage, error) {
	page, err := s.queuePage(ctx, mission, now, limit, filter)
	if err != nil {
		return page, fmt.Errorf("queue: %w", err)
	}
	return page, nil
}

func (s *Store) queuePage(ctx context.Context, mission string, now time.Time, limit int, filter bot.QueueFilter) (bot.QueuePage, error) {
	lines, err := s.linesOf(mission)
	if err != nil {
		return bot.QueuePage{}, err
	}
	limit = max(limit, 1)
	page := bot.QueuePage{Total: map[casework.Class]int{}}
	var claimed, later []place
	for _, line := range lines {
		c, l, err := s.queueCounts(ctx, line, mission, now, limit, &page)
		if err != nil {
			return page, err
		}
		claimed, later = append(claimed, c...), append(later, l...)
	}
	// A woman is asked for so that no wish for one is passed over; the order of the page does not prefer them.
	heads, err := s.heads(ctx, mission, lines, now, headsWant{n: limit, female: true, all: true, classes: filter.Classes})
	if err != nil {
		return page, err
	}
	offered := inOrder(heads, now, s.rules[mission], filter)
	sortPlaces(claimed)
	sortPlaces(later)
	for _, places := range [][]place{first(offered, limit), first(claimed, limit), first(later, limit)} {
		items, err := s.cards(ctx, mission, fieldMission, now, places)
		if err != nil {
			return page, err
		}
		for _, it := range items {
			c := it.Case
			if len(filter.Classes) > 0 && !slices.Contains(filter.Classes, casework.Effective(c, now)) {
				continue
			}
			waits := it.Claim == nil && !c.LaterUntil.After(now)
			if waits && !c.P1Since.IsZero() && (page.OldestP1.IsZero() || c.P1Since.Before(page.OldestP1)) {
				page.OldestP1 = c.P1Since
			}
			page.Items = append(page.Items, it)
		}
	}
	return page, nil
}

// place is where a case is kept, with a time by which it is sorted.
type place struct {
	line, id string
	at       float64
}

func sortPlaces(p []place) {
	slices.SortStableFunc(p, func(a, b place) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
}

func first(p []place, n int) []place { return p[:min(n, len(p))] }

// inOrder sorts heads as the queue offers them.
func inOrder(heads []head, now time.Time, rules casework.Rules, filter bot.QueueFilter) []place {
	at := make(map[string]head, len(heads)) // by code, which is the candidate's own name
	order := candidates(heads)
	for _, h := range heads {
		at[h.Code] = h
	}
	casework.Order(order, now, rules)
	var out []place
	for _, k := range order {
		if len(filter.Classes) > 0 && !slices.Contains(filter.Classes, k.Class(now)) {
			continue
		}
		out = append(out, place{line: at[k.Code].line, id: at[k.Code].id})
	}
	return out
}

// queueCounts adds a line's totals to the page and reads which cases are held and which are for later.
func (s *Store) queueCounts(ctx context.Context, line, mission string, now time.Time, limit int, page *bot.QueuePage) (claimed, later []place, err error) {
	pipe := s.rdb.Pipeline()
	total := map[casework.Class][2]*redis.IntCmd{}
	for _, c := range casework.Classes {
		total[c] = [2]*redis.IntCmd{pipe.ZCard(ctx, keyQueue(line, mission, string(c))), pipe.ZCard(ctx, keyQueueAway(line, mission, string(c)))}
	}
	after := fmt.Sprintf("(%d", now.UnixMilli())
	nLater := pipe.ZCount(ctx, keyQueueLater(line, mission), after, "+inf")
	nClaimed := pipe.ZCount(ctx, keyQueueClaimed(line, mission), after, "+inf")
	soon := func(key string) *redis.ZSliceCmd {
		return pipe.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{Key: key, ByScore: true, Start: after, Stop: "+inf", Count: int64(limit)})
	}
	claims, laters := soon(keyQueueClaimed(line, mission)), soon(keyQueueLater(line, mission))
	nOffered := pipe.ZCard(ctx, keyQueueOffered(line, mission))
	var asked *redis.MapStringStringCmd // of the mission, not of the line: with the first one
	if page.Asking == nil {
		asked = pipe.HGetAll(ctx, keyExportsAsked(mission))
	}
	var dead, held, aside *redis.IntCmd
	own := s.lines[line].Missions[0] == mission
	if own {
		dead, held, aside = pipe.ZCard(ctx, keyDead(line)), pipe.ZCard(ctx, keyHeld(line)), pipe.ZCard(ctx, keyAsides(line))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, nil, err
	}
	for c, n := range total {
		page.Total[c] += int(n[0].Val() + n[1].Val())
	}
	page.Later += int(nLater.Val())
	page.Claimed += int(nClaimed.Val())
	page.Offered += int(nOffered.Val())
	if own {
		page.Dead, page.Held, page.Aside = page.Dead+int(dead.Val()), page.Held+int(held.Val()), page.Aside+int(aside.Val())
	}
	if asked != nil {
		page.Asking = s.exportsAsking(ctx, asked.Val(), now)
	}
	return placesAt(line, claims.Val()), placesAt(line, laters.Val()), nil
}

func placesAt(line string, zs []redis.Z) []place {
	out := make([]place, len(zs))
	for i, z := range zs {
		out[i] = place{line: line, id: fmt.Sprint(z.Member), at: z.Score}
	}
	return out
}

// cards reads and opens cases for a list, in the order of places. What is no longer the mission's by that field, or was
// erased meanwhile, is left out.
func (s *Store) cards(ctx context.Context, mission, field string, now time.Time, places []place) ([]bot.QueueItem, error) {
	var items []bot.QueueItem
	for part := range slices.Chunk(places, cardsAtOnce) {
		some, err := s.someCards(ctx, mission, field, now, part)
		if err != nil {
			return nil, err
		}
		items = append(items, some...)
	}
	return items, nil
}

// cardsAtOnce is how many cases one script reads, which holds up everybody else meanwhile.
const cardsAtOnce = 200

func (s *Store) someCards(ctx context.Context, mission, field string, now time.Time, places []place) ([]bot.QueueItem, error) {
	ids := map[string][]any{}
	for _, p := range places {
		ids[p.line] = append(ids[p.line], p.id)
	}
	found := make(map[place]bot.QueueItem, len(places))
	for line, list := range ids {
		args := append([]any{mission, now.Add(-bot.SeenFor).UnixMilli(), field}, list...)
		res, err := s.run(ctx, cardsScript, []string{lineKey(line)}, args...).Slice()
		if err != nil {
			return nil, fmt.Errorf("read cases: %w", err)
		}
		f := texts(res)
		who := map[string]bool{}
		for rest := f; len(rest) >= 8; rest = rest[8:] {
			if rest[4] != "" {
				who[rest[4]] = true
			}
			for _, v := range strings.Fields(rest[7]) {
				who[v] = true
			}
		}
		names, err := s.officerNames(ctx, line, who)
		if err != nil {
			return nil, err
		}
		for ; len(f) >= 8; f = f[8:] {
			c, _, err := s.openCase(line, f[0], f[1], f[2], f[3])
			if err != nil {
				return nil, err
			}
			it := bot.QueueItem{Case: c, Claim: claimFrom(names, f[4], f[5], f[6], now)}
			for _, v := range strings.Fields(f[7]) {
				it.Viewers = append(it.Viewers, names[v])
			}
			slices.Sort(it.Viewers)
			found[place{line: line, id: f[0]}] = it
		}
	}
	var items []bot.QueueItem
	for _, p := range places {
		if it, ok := found[place{line: p.line, id: p.id}]; ok {
			items = append(items, it)
		}
	}
	return items, nil
}

// claimFrom is the claim of a case's record; nil when nobody holds it now.
func claimFrom(names map[string]string, by, since, until string, now time.Time) *bot.Claim {
	c := bot.Claim{Officer: names[by], Since: msTime(since), Until: msTime(until)}
	if by == "" || !c.Until.After(now) {
		return nil
	}
	return &c
}

// Mine are the cases that an officer holds, the lease that ends first before the others.
func (s *Store) Mine(ctx context.Context, mission, officer string) ([]bot.QueueItem, error) {
	lines, err := s.linesOf(mission)
	if err != nil {
		return nil, fmt.Errorf("own cases: %w", err)
	}
	now := s.clock()
	var mine []place
	for _, line := range lines {
		zs, err := s.rdb.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{
			Key: keyQueueClaimed(line, mission), ByScore: true, Start: fmt.Sprintf("(%d", now.UnixMilli()), Stop: "+inf",
		}).Result()
		if err != nil {
			return nil, fmt.Errorf("own cases: %w", err)
		}
		pipe := s.rdb.Pipeline()
		by := make([]*redis.StringCmd, len(zs))
		for i, p := range placesAt(line, zs) {
			by[i] = pipe.HGet(ctx, keyCase(line, p.id), "by")
		}
		if _, err := pipe.Exec(ctx); err != nil && !isNil(err) {
			return nil, fmt.Errorf("own cases: %w", err)
		}
		for i, p := range placesAt(line, zs) {
			if by[i].Val() == s.holder(officer) {
				mine = append(mine, p)
			}
		}
	}
	sortPlaces(mine)
	items, err := s.cards(ctx, mission, fieldMission, now, mine)
	if err != nil {
		return nil, fmt.Errorf("own cases: %w", err)
	}
	return items, nil
}
