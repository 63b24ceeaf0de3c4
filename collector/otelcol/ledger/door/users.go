package door

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	userID        = "user.id"
	userPseudonym = "spanledger.user.pseudonym" // of user.id, when that is a pseudonym already
)

var pseudonym = regexp.MustCompile(`^[0-9a-f]{64}$`)

// hideUsers replaces whatever says who the user is by its HMAC, or removes it.
func (d *door) hideUsers(attributes pcommon.Map) {
	if d.users == usersKeep {
		return
	}
	known := ""
	if value, given := attributes.Get(userPseudonym); given {
		known = value.AsString()
		attributes.Remove(userPseudonym)
	}
	attributes.RemoveIf(func(name string, value pcommon.Value) bool {
		if byName[name] != user {
			return false
		}
		if name == userID && value.AsString() == known && pseudonym.MatchString(known) {
			return false
		}
		if d.users == usersDrop {
			return true
		}
		value.SetStr(d.hashed(value.AsString()))
		return false
	})
	if id, given := attributes.Get(userID); given {
		attributes.PutStr(userPseudonym, id.Str())
	}
}

func (d *door) hashed(id string) string {
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte(id))
	return hex.EncodeToString(mac.Sum(nil))
}
