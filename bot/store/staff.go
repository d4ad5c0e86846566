package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"
	"golang.org/x/text/unicode/norm"

	"pulang/bot"
)

var (
	accountSaveScript = newScript("account_save")
	linkNewScript     = newScript("link_new")
	linkUseScript     = newScript("link_use")
)

// errBusy ends a loop that would otherwise run for as long as others keep changing the same thing.
var errBusy = errors.New("changed too often meanwhile")

// ErrLink is a one-time link that was spent, replaced by a newer one, or is too old.
var ErrLink = fmt.Errorf("one-time link: %w", bot.ErrNotFound)

// accountID is the id of an account in keys. The case of letters and the spelling of accents do not make another
// account.
func (s *Store) accountID(name string) string { return s.keys.Blind("account", foldName(name)) }

func foldName(name string) string {
	return strings.ToLower(norm.NFKC.String(strings.Join(strings.Fields(name), " ")))
}

// Account reads an account by its name; bot.ErrNotFound when there is none.
func (s *Store) Account(ctx context.Context, name string) (bot.Account, error) {
	return s.accountByID(ctx, s.accountID(name))
}

func (s *Store) accountByID(ctx context.Context, id string) (bot.Account, error) {
	sealed, err := s.rdb.HGet(ctx, keyAccount(id), "data").Result()
	if errors.Is(err, redis.Nil) {
		return bot.Account{}, fmt.Errorf("account: %w", bot.ErrNotFound)
	}
	if err != nil {
		return bot.Account{}, fmt.Errorf("account: %w", err)
	}
	return s.openAccount(ctx, id, sealed)
}

func (s *Store) openAccount(ctx context.Context, id, sealed string) (bot.Account, error) {
	var a bot.Account
	err := s.openLineJSON(ctx, StaffLine, "accounts", keyAccount(id), sealed, &a)
	if err != nil {
		return bot.Account{}, fmt.Errorf("account: %w", err)
	}
	a.Read = sealed
	return a, nil
}

// Accounts reads all accounts, in the order of their names.
func (s *Store) Accounts(ctx context.Context) ([]bot.Account, error) {
	ids, err := s.rdb.SMembers(ctx, keyAccounts()).Result()
	if err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	pipe := s.rdb.Pipeline()
	found := make([]*redis.StringCmd, len(ids))
	for i, id := range ids {
		found[i] = pipe.HGet(ctx, keyAccount(id), "data")
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	var all []bot.Account
	for i, cmd := range found {
		sealed, err := cmd.Result()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("accounts: %w", err)
		}
		a, err := s.openAccount(ctx, ids[i], sealed)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b bot.Account) int { return strings.Compare(foldName(a.Name), foldName(b.Name)) })
	return all, nil
}

// SaveAccount creates or replaces an account. Disabling one ends its sessions and its one-time link. It gives
// bot.ErrRefused when another account has the same check code, and bot.ErrConflict when the account was changed since it
// was read: who is disabled at this moment does not enable the own account by changing its language.
func (s *Store) SaveAccount(ctx context.Context, a bot.Account, audit bot.Audit) error {
	if foldName(a.Name) == "" {
		return fmt.Errorf("save account without a name: %w", bot.ErrRefused)
	}
	id := s.accountID(a.Name)
	sealed, err := s.sealLineJSON(ctx, StaffLine, "accounts", keyAccount(id), a)
	if err != nil {
		return fmt.Errorf("save account: %w", err)
	}
	rows, err := s.auditRows(ctx, StaffLine, audit)
	if err != nil {
		return fmt.Errorf("save account: %w", err)
	}
	code, disabled := "", ""
	if a.Code != "" {
		code = s.codeIndex(a.Code)
	}
	if a.Disabled {
		disabled, code = "1", "" // the code of somebody who has left is no proof of anything
	}
	keys := []string{keyAccount(id), keyAccounts(), keyOfficerCodes(), lineKey(StaffLine)}
	done, err := s.run(ctx, accountSaveScript, keys, append([]any{id, sealed, code, disabled, a.Read, s.nextToken()}, rows...)...).Int()
	if err != nil {
		return fmt.Errorf("save account: %w", err)
	}
	switch done {
	case -1:
		return fmt.Errorf("save account: %w", bot.ErrConflict)
	case 0:
		return fmt.Errorf("save account: check code in use: %w", bot.ErrRefused)
	}
	if a.Disabled {
		return s.EndSessions(ctx, a.Name)
	}
	return nil
}

func (s *Store) codeIndex(code string) string {
	return s.keys.Blind("officer code", strings.ToUpper(strings.Join(strings.Fields(code), "")))
}

// OfficerByCode tells whose check code this is (a citizen's CEK); bot.ErrNotFound when it is nobody's, or that of a
// disabled account.
func (s *Store) OfficerByCode(ctx context.Context, code string) (bot.Account, error) {
	id, err := s.rdb.HGet(ctx, keyOfficerCodes(), s.codeIndex(code)).Result()
	if errors.Is(err, redis.Nil) {
		return bot.Account{}, fmt.Errorf("officer code: %w", bot.ErrNotFound)
	}
	if err != nil {
		return bot.Account{}, fmt.Errorf("officer code: %w", err)
	}
	a, err := s.accountByID(ctx, id)
	if err == nil && a.Disabled {
		return bot.Account{}, fmt.Errorf("officer code: %w", bot.ErrNotFound)
	}
	return a, err
}

// NewLink makes token the one valid one-time link of an account, until then. Only its SHA-256 is stored.
func (s *Store) NewLink(ctx context.Context, name, token string, until time.Time) error {
	id, hash := s.accountID(name), tokenHash(token)
	ok, err := s.run(ctx, linkNewScript, []string{keyLink(hash), keyAccount(id)}, id, hash, until.UnixMilli()).Bool()
	if err != nil {
		return fmt.Errorf("one-time link: %w", err)
	}
	if !ok {
		return fmt.Errorf("one-time link: account: %w", bot.ErrNotFound)
	}
	return nil
}

// UseLink spends a one-time link and tells whose it is; ErrLink when it is not valid (any more).
func (s *Store) UseLink(ctx context.Context, token string) (string, error) {
	return s.link(ctx, token, ulid.Make().String())
}

// PeekLink tells whose link it is without spending it; ErrLink when it is not valid (any more).
func (s *Store) PeekLink(ctx context.Context, token string) (string, error) {
	return s.link(ctx, token, "")
}

func (s *Store) link(ctx context.Context, token, request string) (string, error) {
	hash := tokenHash(token)
	id, err := s.rdb.HGet(ctx, keyLink(hash), "account").Result()
	if errors.Is(err, redis.Nil) {
		return "", ErrLink
	}
	if err != nil {
		return "", fmt.Errorf("one-time link: %w", err)
	}
	ok, err := s.run(ctx, linkUseScript, []string{keyLink(hash), keyAccount(id)}, hash, request).Bool()
	if err != nil {
		return "", fmt.Errorf("one-time link: %w", err)
	}
	if !ok {
		return "", ErrLink
	}
	a, err := s.accountByID(ctx, id)
	if err != nil {
		return "", err
	}
	if a.Disabled {
		return "", ErrLink
	}
	return a.Name, nil
}
