package whatsapptest

import (
	"context"
	"fmt"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waServerSync"
	"go.mau.fi/whatsmeow/store"
	"google.golang.org/protobuf/proto"
)

// Named gives the account a profile name. The linked devices learn it as from a handset: they are sent the key of the
// app state, fetch the state, and find the name in it. A client without the name cannot announce presence.
func (a *Account) Named(name string) {
	key := store.AppStateSyncKey{Data: random(32), Timestamp: now()}
	id := random(6)
	device := *store.NoopDevice
	device.AppState, device.AppStateKeys = blankState{}, oneKey{key: key}
	patch, err := appstate.NewProcessor(&device, nil).EncodePatch(context.Background(), id, appstate.HashState{}, appstate.BuildSettingPushName(name))
	must(err)
	var first waServerSync.SyncdPatch
	must(proto.Unmarshal(patch, &first))
	first.Version = &waServerSync.SyncdVersion{Version: proto.Uint64(1)}
	patch, err = proto.Marshal(&first)
	must(err)
	a.srv.mu.Lock()
	a.profile = patch
	a.srv.mu.Unlock()

	fingerprint := &waE2E.AppStateSyncKeyFingerprint{RawID: proto.Uint32(1), CurrentIndex: proto.Uint32(0), DeviceIndexes: []uint32{0}}
	a.fromHandset(attrs{"category": "peer"}, &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
		Type: waE2E.ProtocolMessage_APP_STATE_SYNC_KEY_SHARE.Enum(),
		AppStateSyncKeyShare: &waE2E.AppStateSyncKeyShare{Keys: []*waE2E.AppStateSyncKey{{
			KeyID:   &waE2E.AppStateSyncKeyId{KeyID: id},
			KeyData: &waE2E.AppStateSyncKeyData{KeyData: key.Data, Fingerprint: fingerprint, Timestamp: &key.Timestamp},
		}}},
	}})
}

// appState answers a request for collections: the profile's first patch to a client that has none, and to all else
// that the client's state is the newest.
func (s *Server) appState(d *Device, asked node) node {
	s.mu.Lock()
	profile := d.account.profile
	s.mu.Unlock()
	var list []node
	for _, c := range asked.GetChildren() {
		answer := node{Tag: "collection", Attrs: attrs{
			"name": c.Attrs["name"], "version": c.Attrs["version"], "has_more_patches": false,
		}}
		version := fmt.Sprint(c.Attrs["version"])
		if profile != nil && c.Attrs["name"] == string(appstate.WAPatchCriticalBlock) && (version == "0" || c.Attrs["version"] == nil) {
			answer.Attrs["version"] = 1
			answer.Content = []node{{Tag: "patches", Content: []node{{Tag: "patch", Content: profile}}}}
		}
		list = append(list, answer)
	}
	return node{Tag: "sync", Content: list}
}

// blankState is an app state in which nothing was set before, oneKey its only key.
type blankState struct{ store.AppStateStore }

func (blankState) GetAppStateMutationMAC(context.Context, string, []byte) ([]byte, error) {
	return nil, nil
}

type oneKey struct {
	store.AppStateSyncKeyStore
	key store.AppStateSyncKey
}

func (o oneKey) GetAppStateSyncKey(context.Context, []byte) (*store.AppStateSyncKey, error) {
	return &o.key, nil
}
