package intake

import (
	"slices"
	"strings"

	"pulang/flows"
)

// The words of a message belong to the open question only if they can be its answer: somebody who writes of money and a
// doctor where a name or a yes is asked has told something else, and is asked again.
var (
	// politeWords say nothing beside an answer.
	politeWords = wordSet(`pak bu kak min mas mbak bang ya yah deh dong sih aja saja kok lah dulu makasih terima kasih tolong silahkan silakan
		please thanks thank you sir madam now sekarang saya aku sy i will later to it just baik oke ok usah perlu mau isi data
		ingin pengen kapan2 besok lain kali not no do don t want yes go on ahead`)
	// noName are words that stand in sentences and in no name.
	noName = wordSet(`tidak tdk gak ga nggak ngga enggak belum blm jangan jgn ada saya sy aku kami mau ingin uang duit dokter yang yg tolong bisa
		sudah udah udh sdh karena krn cuma sakit paspor visa telp telepon telpon nomor kapan kenapa gimana bagaimana apa lapar
		not have want need money please my the is are cannot when why how passport`)
	// laterWords put a question off. None of them is a secret: it is the first that anybody would say.
	laterWords = wordSet(`tar ntar entar nanti nnti besok lewat lewati skip later nope lain kali belum blm malas males bingung terserah
		gatau entahlah gausah tidak tdk gak ga nggak ngga enggak jangan usah perlu ada none nothing not now maybe pass`)
)

// plainly reports whether the message is nothing but an answer in a word or two: each word, read by itself, answers the
// question or says nothing.
func (t *turn) plainly(q *question, text string) bool {
	c := t.context(q)
	words := strings.Fields(fold(text))
	for _, w := range words {
		if politeWords[w] {
			continue
		}
		r := t.f.read(w, c)
		if r.YesNo == "" && !slices.ContainsFunc(r.Chosen, func(v flows.Value) bool { return slices.Contains(q.menu, v) }) {
			return false
		}
	}
	return len(words) > 0 || t.r.YesNo != "" // 👍
}

// sentence reports whether what stands where a name is asked is a sentence.
func sentence(text string) bool {
	words := strings.Fields(fold(text))
	return len(words) > 7 || slices.ContainsFunc(words, func(w string) bool { return noName[w] })
}

// putsOff reports whether the message only says later, or no.
func putsOff(text string) bool {
	words, some := strings.Fields(fold(text)), false
	for _, w := range words {
		some = some || laterWords[w]
		if !laterWords[w] && !politeWords[w] {
			return false
		}
	}
	return some
}
