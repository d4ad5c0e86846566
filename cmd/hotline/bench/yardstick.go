package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	tg "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
	"github.com/redis/go-redis/v9"
)

// Yardstick is a small bot as people usually write one in Go, with go-telegram/bot and go-redis: ten questions, a
// person's state read from Redis and written back as JSON, the next question by sendMessage with a keyboard. Of what
// is usual it lacks one fault: its transport keeps its connections. It acknowledges before it has stored anything, as
// the library does. It runs until ctx ends; its settings are this program's environment variables.
func Yardstick(ctx context.Context, out io.Writer, env func(string) string) error {
	opts, err := redis.ParseURL(env("REDIS_URL"))
	if err != nil {
		return errors.New("REDIS_URL: cannot be read")
	}
	rdb := redis.NewClient(opts)
	defer rdb.Close() //nolint:errcheck // the process ends
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, 256
	y := &yardstick{rdb: rdb}
	b, err := tg.New(env("TELEGRAM_TOKEN"),
		tg.WithServerURL(env("TELEGRAM_API_URL")),
		tg.WithHTTPClient(time.Minute, &http.Client{Transport: transport, Timeout: time.Minute}),
		tg.WithWebhookSecretToken(env("TELEGRAM_WEBHOOK_SECRET")),
		tg.WithErrorsHandler(func(err error) { fmt.Fprintln(os.Stderr, "yardstick:", err) }),
		tg.WithDefaultHandler(y.handle))
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "public    http://%s/\n", l.Addr())
	hook := env("TELEGRAM_WEBHOOK_URL")
	if hook == "" {
		b.Start(ctx)
		return l.Close()
	}
	u, err := url.Parse(hook)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(u.Path, b.WebhookHandler())
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go b.StartWebhook(ctx)
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	if _, err := b.SetWebhook(ctx, &tg.SetWebhookParams{URL: hook, SecretToken: env("TELEGRAM_WEBHOOK_SECRET")}); err != nil {
		return err
	}
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type yardstick struct{ rdb *redis.Client }

// walk is a person's state.
type walk struct {
	Step    int               `json:"step"`
	Answers map[string]string `json:"answers"`
	Started time.Time         `json:"started"`
}

// ask is one question of the yardstick.
type ask struct {
	id, text string
	choices  []string
}

var asks = []ask{
	{"safety", "Halo. Ini layanan bantuan untuk WNI. Gratis, dan data Anda hanya dipakai untuk menolong Anda.\n\nApakah Anda aman untuk membalas pesan sekarang?", []string{"Aman", "Sedang diawasi", "Bahaya"}},
	{"who", "Laporan ini untuk siapa?", []string{"Saya sendiri", "Kami berkelompok", "Keluarga/orang lain"}},
	{"place", "Anda sekarang di mana? Paling mudah: kirim lokasi. Kalau tidak bisa, tulis nama kota atau tempat. Contoh: Bavet, Poipet, dekat pasar.", nil},
	{"kind", "Tempatnya seperti apa?", []string{"Di gedung tempat kerja", "Penginapan", "Di jalan/luar", "Penampungan", "Kantor polisi", "Rumah sakit"}},
	{"needs", "Apakah ada yang darurat?", []string{"Luka parah", "Sakit / butuh obat", "Hamil", "Ada anak di bawah 18", "Disekap atau diancam", "Tidak ada"}},
	{"passport", "Paspor Anda bagaimana?", []string{"Ada, masih berlaku", "Ada, sudah mati", "Dipegang bos/kantor", "Hilang atau dicuri", "Tidak tahu"}},
	{"permit", "Visa atau izin tinggal Anda?", []string{"Masih berlaku", "Sudah lewat (overstay)", "Masuk tanpa cap", "Tidak tahu"}},
	{"contact", "Bagaimana petugas boleh menghubungi Anda?", []string{"Boleh telepon kapan saja", "Telepon jam tertentu", "Chat saja", "Jangan dulu"}},
	{"word", "Pilih satu kata rahasia. Petugas akan menyebut kata itu dulu. Tidak mau? Ketik LEWATI.", nil},
	{"done", "Terima kasih. Laporan Anda sudah diterima. Petugas akan menghubungi Anda. Kalau keadaan berubah, kirim pesan saja.", []string{"Lanjut", "Nanti"}},
}

func (y *yardstick) handle(ctx context.Context, b *tg.Bot, u *models.Update) {
	chat, text := int64(0), ""
	switch {
	case u.Message != nil:
		chat, text = u.Message.Chat.ID, u.Message.Text
	case u.CallbackQuery != nil:
		chat, text = u.CallbackQuery.From.ID, u.CallbackQuery.Data
		if _, err := b.AnswerCallbackQuery(ctx, &tg.AnswerCallbackQueryParams{CallbackQueryID: u.CallbackQuery.ID}); err != nil {
			fmt.Fprintln(os.Stderr, "yardstick:", err)
		}
	default:
		return
	}
	if err := y.step(ctx, b, chat, text); err != nil {
		fmt.Fprintln(os.Stderr, "yardstick:", err)
	}
}

func (y *yardstick) step(ctx context.Context, b *tg.Bot, chat int64, text string) error {
	key := "session:" + strconv.FormatInt(chat, 10)
	w := walk{Answers: map[string]string{}, Started: time.Now()}
	raw, err := y.rdb.Get(ctx, key).Bytes()
	switch {
	case err == nil:
		if err := json.Unmarshal(raw, &w); err != nil {
			return err
		}
	case !errors.Is(err, redis.Nil):
		return err
	}
	if w.Step > 0 {
		w.Answers[asks[w.Step-1].id] = text
	}
	if w.Step == len(asks) {
		w.Step = 0
	}
	next := asks[w.Step]
	w.Step++
	if raw, err = json.Marshal(w); err != nil {
		return err
	}
	if err := y.rdb.Set(ctx, key, raw, 24*time.Hour).Err(); err != nil {
		return err
	}
	msg := &tg.SendMessageParams{ChatID: chat, Text: next.text}
	if len(next.choices) > 0 {
		var rows [][]models.InlineKeyboardButton
		for i, c := range next.choices {
			rows = append(rows, []models.InlineKeyboardButton{{Text: c, CallbackData: next.id + ":" + strconv.Itoa(i+1)}})
		}
		msg.ReplyMarkup = &models.InlineKeyboardMarkup{InlineKeyboard: rows}
	}
	_, err = b.SendMessage(ctx, msg)
	return err
}
