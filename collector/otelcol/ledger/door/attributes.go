package door

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// keepFacts removes what is a text and no fact: numbers stay under any name.
func keepFacts(attributes pcommon.Map) {
	attributes.RemoveIf(func(name string, value pcommon.Value) bool { return !stays(name, value) })
}

// stays says whether an attribute stays, and shortens it where only a part of it does.
func stays(name string, value pcommon.Value) bool {
	switch value.Type() {
	case pcommon.ValueTypeInt, pcommon.ValueTypeDouble, pcommon.ValueTypeBool, pcommon.ValueTypeEmpty:
		return true
	}
	switch ruleOf(name) {
	case drop:
		return false
	case own:
		return value.Type() == pcommon.ValueTypeStr && isTag(value.Str())
	case tag, user:
		return charsOf(value) <= names.TagCharsMax
	case usage:
		return keepCounts(name, value)
	case address:
		if value.Type() == pcommon.ValueTypeStr {
			before, _, _ := strings.Cut(value.Str(), "?")
			value.SetStr(before)
		}
	}
	return charsOf(value) <= names.TextCharsMax
}

func isTag(text string) bool {
	return utf8.RuneCountInString(text) <= names.OwnCharsMax && isPrintable(text)
}

func isPrintable(text string) bool {
	return strings.IndexFunc(text, func(char rune) bool { return !unicode.IsPrint(char) }) < 0
}

// charsOf counts what a value holds of texts; what is nested counts as too long.
func charsOf(value pcommon.Value) int {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return utf8.RuneCountInString(value.Str())
	case pcommon.ValueTypeBytes:
		return value.Bytes().Len()
	case pcommon.ValueTypeSlice:
		chars := 0
		for _, item := range value.Slice().All() {
			chars += charsOfItem(item)
		}
		return chars
	default:
		return names.TextCharsMax + 1
	}
}

func charsOfItem(item pcommon.Value) int {
	switch item.Type() {
	case pcommon.ValueTypeStr, pcommon.ValueTypeBytes:
		return charsOf(item)
	case pcommon.ValueTypeInt, pcommon.ValueTypeDouble, pcommon.ValueTypeBool, pcommon.ValueTypeEmpty:
		return 16
	default:
		return names.TextCharsMax + 1
	}
}

// pythonic turns Python's form of an object, as LiteLLM writes it, into JSON; the ledger does the same.
var pythonic = strings.NewReplacer("'", `"`, ": None", ": null", ": True", ": true", ": False", ": false")

// keepCounts leaves of a JSON text its numbers, digit for digit, and the texts whose full names are facts.
func keepCounts(name string, value pcommon.Value) bool {
	text := value.AsString()
	if strings.HasPrefix(text, "{'") {
		text = pythonic.Replace(text)
	}
	reader := json.NewDecoder(strings.NewReader(text))
	reader.UseNumber()
	var given map[string]any
	if reader.Decode(&given) != nil || reader.More() {
		return false
	}
	kept, err := json.Marshal(counts(name, given))
	if err != nil {
		return false
	}
	value.SetStr(string(kept))
	return true
}

func counts(name string, given map[string]any) map[string]any {
	kept := map[string]any{}
	for key, item := range given {
		full := name + "." + key
		switch item := item.(type) {
		case json.Number, bool:
			kept[key] = item
		case map[string]any:
			kept[key] = counts(full, item)
		case string:
			if byName[full] == tag && isTag(item) {
				kept[key] = item
			}
		}
	}
	return kept
}
