// Package whatsapptest is WhatsApp on the wire, for tests: a server inside the test binary that an unmodified
// whatsmeow client talks to over websocket, Noise and Signal. Everything is encrypted and signed as it is by
// WhatsApp: the client verifies the certificate chain, pairs, uploads prekeys, and cannot tell that the phones of
// the people it talks to are in the same process.
//
//	srv := whatsapptest.New(t)                   // or Start() where there is no *testing.T
//	hotline := srv.Account("+62 811 0000 001")   // a number on a handset; the program becomes its linked device
//	srv.Use(client)                              // or give srv.HTTPClient() to whatever makes the client
//	hotline.Scan(qr)                             // or hotline.EnterCode("ABCD-1234")
//	hotline.WaitConnected()
//
//	budi := srv.Citizen("+62 812 0000 002")
//	id := budi.Say(hotline, "halo")
//	budi.WaitAccepted(id)
//	reply := budi.WaitFor("Selamat datang")
//	budi.Read(hotline, reply.ID)
//
// The server keeps what the program has not acknowledged, and sends it again after the next login. Lines can be
// dropped (Account.Drop), or cut at any stanza (Server.Watch); logins refused (Account.RefuseLogins); devices
// replaced and unlinked (Account.Replace, Account.Unlink). Citizens show their number, their LID or both
// (Citizen.Shows).
//
// A program in another process is pointed here with Redirect(srv.Address()). The server is one process's memory: it
// survives the death of the program under test, which is the point of a kill test, but not its own.
package whatsapptest
