package trace

import "strings"

// characterClass is what a character of a word is, as far as it tells names
// from identifiers.
type characterClass uint8

const (
	foreign characterClass = iota // of no identifier
	digit
	hexLower // a to f
	lower
	hexUpper // A to F
	upper
	mark // joins the parts of an identifier
	at
	classCount
)

// classes is the class of every byte.
var classes = func() (table [256]characterClass) {
	for class, characters := range map[characterClass]string{
		digit: "0123456789", hexLower: "abcdef", lower: "ghijklmnopqrstuvwxyz", hexUpper: "ABCDEF",
		upper: "GHIJKLMNOPQRSTUVWXYZ", mark: "-_.+=%:,", at: "@",
	} {
		for i := range len(characters) {
			table[characters[i]] = class
		}
	}
	return table
}()

// profile counts the characters of a word by class.
type profile struct {
	length int
	counts [classCount]int
	// letterDigit and upperLower count the changes between neighbours: random
	// text has many, names have few.
	letterDigit, upperLower int
}

func profileOf(word string) profile {
	p := profile{length: len(word)}
	for i := range len(word) {
		class := classes[word[i]]
		p.counts[class]++
		if i == 0 {
			continue
		}
		previous := classes[word[i-1]]
		if isLetter(class) && isLetter(previous) && isUpper(class) != isUpper(previous) {
			p.upperLower++
		}
		if class == digit && isLetter(previous) || previous == digit && isLetter(class) {
			p.letterDigit++
		}
	}
	return p
}

func isUpper(class characterClass) bool { return class == upper || class == hexUpper }

func isLetter(class characterClass) bool {
	return isUpper(class) || class == lower || class == hexLower
}

func (p *profile) lowers() int { return p.counts[lower] + p.counts[hexLower] }
func (p *profile) uppers() int { return p.counts[upper] + p.counts[hexUpper] }

// identifies says whether a word names one thing of many: a number, UUID, date,
// hash, ULID, token, mail address, or an identifier with a prefix that says
// what it is of ("cus_NffrFeUfNV2Hib").
func identifies(word string) bool {
	if word == "" || strings.IndexByte("{:<*", word[0]) >= 0 {
		return false // empty, or a template already
	}
	p := profileOf(word)
	digits, marks := p.counts[digit], p.counts[mark]
	switch {
	case p.counts[foreign] > 0:
		return false
	case p.counts[at] > 0:
		return true
	case digits > 0 && digits+marks == p.length: // number, date, list of numbers
		return true
	case digits >= 2 && p.length >= 8 && digits+marks+p.counts[hexLower]+p.counts[hexUpper] == p.length: // hash, UUID
		return true
	case digits > 0 && p.lowers() == 0 && p.length == 26: // ULID
		return true
	case p.length >= 16 && digits >= 2 && (p.lowers() > 0 && p.uppers() > 0 || digits*4 >= p.length): // token
		return true
	}
	if isRandom(&p) {
		return true
	}
	prefix, rest := splitPrefix(word)
	if prefix == "" {
		return false
	}
	tail := profileOf(rest)
	return tail.counts[digit] == tail.length && tail.length >= 4 || isRandom(&tail) ||
		tail.length >= 8 && tail.counts[digit]*4 >= tail.length && tail.letterDigit >= 3
}

// isRandom tells letters of both cases in random order from words in camel
// case: a third of them and more are capitals, which come and go.
func isRandom(p *profile) bool {
	letters := p.lowers() + p.uppers()
	return p.length >= 10 && p.counts[mark] == 0 && p.lowers() > 0 && 3*p.uppers() >= letters && p.upperLower >= 5 &&
		(p.counts[digit] > 0 || p.upperLower*2 >= p.length)
}

// splitPrefix parts an identifier from the letters before its last "_" or "-";
// both are empty where there is no such prefix.
func splitPrefix(word string) (prefix, rest string) {
	cut := strings.LastIndexAny(word, "_-")
	if cut < 2 || cut == len(word)-1 {
		return "", ""
	}
	p := profileOf(word[:cut])
	if p.lowers()+p.uppers()+p.counts[mark] != p.length {
		return "", ""
	}
	return word[:cut], word[cut+1:]
}
