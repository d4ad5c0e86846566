package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"pulang/bot"
	"pulang/bot/store"
	"pulang/locales"
)

// serveCmd is the real service.
type serveCmd struct {
	Profile string `hidden:"" help:"Write CPU and memory profiles into this directory."`
}

// Run serves until it is told to stop, or until a part fails.
func (c *serveCmd) Run(ctx context.Context, s *Settings, io *streams) (err error) {
	finish, err := startProfile(c.Profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, finish()) }()
	missions, err := s.loadMissions()
	if err != nil {
		return err
	}
	tokens, err := telegramLines(s, io, missions)
	if err != nil {
		return err
	}
	url, err := io.secret("REDIS_URL")
	if err != nil {
		return err
	}
	data, err := s.dataDir("data")
	if err != nil {
		return err
	}
	numbers, err := whatsappLines(s, io, missions, data)
	if err != nil {
		return err
	}
	words, err := s.lexicon()
	if err != nil {
		return err
	}
	cat, err := locales.New()
	if err != nil {
		return err
	}
	log := newLog(io.err, slog.Level(s.LogLevel))
	svc := &service{settings: s, log: log, missions: missions, cat: cat, words: words, webchatOn: s.Webchat == "on"}
	if err := svc.listenAll(ctx); err != nil {
		return err
	}
	defer svc.closeListeners()
	o, err := openStore(ctx, s, openWith{missions: missions, mode: store.ModeReal, data: data, url: url, exclusive: true,
		accept: s.AcceptLoss, owner: ownerName(data), journal: filepath.Join(data, "acknowledged.log"), log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	svc.store, svc.alone, svc.owner = o.store, o.own, ownerName(data)
	if svc.auditHeads = s.AuditHeads; svc.auditHeads == "" {
		svc.auditHeads = filepath.Join(data, "audit-heads")
	}
	if err := svc.build(ctx, tokens, numbers); err != nil {
		return err
	}
	if len(tokens) == 0 && len(numbers) == 0 && !svc.webchatOn {
		log.Warn("no channel is on: set TELEGRAM_TOKEN, WHATSAPP=on or WEBCHAT=on; only the desk works")
	}
	if s.SecondFactor == "off" {
		log.Warn("HOTLINE_SECOND_FACTOR=off: whoever learns a password of the desk reads cases")
	}
	svc.run()
	svc.start("timers", svc.timers)
	defer svc.stop()
	fmt.Fprintf(io.out, "hotline serves %s\n", names(missions))
	if svc.webchatOn {
		fmt.Fprintf(io.out, "web chat  %s\n", svc.publicURL)
	} else {
		fmt.Fprintf(io.out, "public    %s\n", svc.publicURL)
	}
	fmt.Fprintf(io.out, "desk      %s\n", svc.deskURL)
	fmt.Fprintf(io.out, "metrics   http://%s/metrics\n", svc.probes.Addr())
	err = svc.wait(ctx)
	if err == nil {
		log.Info("stopping")
	}
	return err
}

// ownerName is the same for every process that serves from this data directory of this machine, one after the other.
func ownerName(data string) string {
	host, _ := os.Hostname()
	if abs, err := filepath.Abs(data); err == nil {
		data = abs
	}
	sum := sha256.Sum256([]byte(host + "\x00" + data))
	return hex.EncodeToString(sum[:8])
}

func names(ms []*bot.Mission) string {
	var out []string
	for _, m := range ms {
		out = append(out, m.Name)
	}
	return strings.Join(out, ", ")
}
