package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCompanionReg"
	"go.mau.fi/whatsmeow/store"
	"google.golang.org/protobuf/proto"

	"pulang/bot/whole"
)

// Version says how the version of WhatsApp Web that the client claims to be is kept current. WhatsApp refuses one
// that is some months old (405), sooner than programs are updated.
type Version struct {
	// Fixed is a version by hand, "2.3000.1045649367"; it is used whatever else is known.
	Fixed string
	// Fetch asks WhatsApp's public web page for its version at every start.
	Fetch bool
	// File keeps the last fetched version for starts without network; empty: it is not kept.
	File string
}

// versionMu guards the library's version, which is the process's.
var versionMu sync.Mutex

func currentVersion() string {
	versionMu.Lock()
	defer versionMu.Unlock()
	return store.GetWAVersion().String()
}

// Check reads Fixed.
func (v Version) Check() error {
	if v.Fixed == "" {
		return nil
	}
	n, err := store.ParseVersion(v.Fixed)
	if err != nil || n[0] != 2 || n.String() != v.Fixed {
		return errors.New("not a version of WhatsApp Web: write it like 2.3000.1045649367")
	}
	return nil
}

// Known is the version that would be used without asking anybody.
func (v Version) Known() string {
	v.Fetch = false
	_ = v.apply(context.Background(), nil)
	return currentVersion()
}

// apply sets the newest version that is known. It never fails: an old version is tried rather than none.
func (v Version) apply(ctx context.Context, transport http.RoundTripper) (err error) {
	if v.Fixed != "" {
		if n, err := store.ParseVersion(v.Fixed); err == nil {
			useVersion(n, true)
		}
		return v.Check()
	}
	if v.File != "" {
		if b, err := os.ReadFile(v.File); err == nil && len(b) < 64 {
			if n, err := store.ParseVersion(strings.TrimSpace(string(b))); err == nil && n[0] == 2 {
				useVersion(n, false)
			}
		}
	}
	if !v.Fetch {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	n, err := whatsmeow.GetLatestVersion(ctx, &http.Client{Transport: smallBody{transport}})
	if err != nil {
		return errors.New("the current version of WhatsApp Web could not be fetched")
	}
	useVersion(*n, false)
	if v.File == "" {
		return nil
	}
	if err := whole.Write(v.File, []byte(n.String()+"\n")); err != nil {
		return fmt.Errorf("keep WhatsApp's version: %w", withoutPath(err))
	}
	return nil
}

// useVersion sets the version for logins as well as for linking; without force only a newer one.
func useVersion(n store.WAVersionContainer, force bool) {
	versionMu.Lock()
	defer versionMu.Unlock()
	if force || store.GetWAVersion().LessThan(n) {
		store.SetWAVersion(n)
		store.BaseClientPayload.UserAgent.AppVersion = n.ProtoAppVersion()
	}
}

// smallBody bounds a page, which the library reads whole.
type smallBody struct{ base http.RoundTripper }

// RoundTrip passes on.
func (s smallBody) RoundTrip(r *http.Request) (*http.Response, error) {
	base := s.base
	if base == nil {
		base = http.DefaultTransport
	}
	res, err := base.RoundTrip(r)
	if err == nil {
		res.Body = &bounded{res.Body, 8 << 20}
	}
	return res, err
}

var nameOnce sync.Once

// nameDevice sets how the entry is called in the phone's list of linked devices.
func nameDevice() {
	nameOnce.Do(func() {
		store.DeviceProps.Os = proto.String("Pulang")
		store.DeviceProps.PlatformType = waCompanionReg.DeviceProps_CHROME.Enum()
		store.DeviceProps.RequireFullSync = proto.Bool(false)
	})
}
