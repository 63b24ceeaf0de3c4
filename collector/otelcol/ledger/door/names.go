package door

import (
	_ "embed"
	"encoding/json"
	"strings"
)

// The table of the SDK (instrumentation/spanledger/content.py) and the names that the ledger reads (sql/025*): made by
// `python -m tests.collector.otelcol.names`; a test compares.
//
//go:embed names.json
var namesJSON []byte

type table struct {
	Facts         []string `json:"facts"`          // texts of GenAI emitters that are facts
	Usage         []string `json:"usage"`          // JSON texts: of these the numbers and the facts stay
	TagPrefixes   []string `json:"tag_prefixes"`   // tags that the application adds
	Addresses     []string `json:"addresses"`      // kept up to the question mark
	Content       []string `json:"content"`        // texts that are content, by full name
	GenAIPrefixes []string `json:"genai_prefixes"` // where a text is content unless it is a fact
	Conventions   []string `json:"conventions"`    // where a text stays unless it is content
	Users         []string `json:"users"`          // who the user is

	TagCharsMax  int `json:"tag_chars_max"`
	TextCharsMax int `json:"text_chars_max"`
	OwnCharsMax  int `json:"own_chars_max"`
	NameCharsMax int `json:"name_chars_max"`
}

type rule uint8

const (
	own     rule = iota // the application's own name: as much as a tag
	drop                // content
	keep                // a fact of another convention
	tag                 // a fact, or a tag
	address             // without what follows the question mark
	usage               // counts as JSON
	user                // says who the user is
)

var (
	names  = readNames()
	byName = rulesByName()
)

func readNames() table {
	var read table
	if err := json.Unmarshal(namesJSON, &read); err != nil {
		panic(err) // a build with a table that cannot be read would let everything through
	}
	return read
}

func rulesByName() map[string]rule {
	rules := map[string]rule{}
	for _, group := range []struct {
		names []string
		rule  rule
	}{{names.Content, drop}, {names.Addresses, address}, {names.Facts, tag}, {names.Usage, usage}, {names.Users, user}} {
		for _, name := range group.names {
			rules[name] = group.rule
		}
	}
	return rules
}

func ruleOf(name string) rule {
	if found, known := byName[name]; known {
		return found
	}
	switch {
	case startsWithAny(name, names.TagPrefixes):
		return tag
	case startsWithAny(name, names.GenAIPrefixes):
		return drop
	case startsWithAny(name, names.Conventions):
		return keep
	default:
		return own
	}
}

func startsWithAny(name string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
