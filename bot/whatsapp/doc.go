// Package whatsapp is the WhatsApp channel, on go.mau.fi/whatsmeow.
package whatsapp

import (
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	_ "github.com/mdp/qrterminal/v3"
	_ "go.mau.fi/whatsmeow"
	_ "go.mau.fi/whatsmeow/store/sqlstore"
	_ "modernc.org/sqlite"
)
