// Package door is what every span and log record passes on its way in: it says whose it is, hides who the user is, and keeps texts out.
package door

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

const keyBytesMin = 16

// What becomes of user ids.
const (
	usersPseudonym = "pseudonym"
	usersDrop      = "drop"
	usersKeep      = "keep"
)

// Config is what the processor spanledger is told.
type Config struct {
	// TenantFrom is the attribute of the verified credential that names the tenant: `tenant` of spanledger_tokens, `claims.NAME` of oidc.
	// Data without it is refused. Empty: senders name their tenant themselves (an agent, whose gateway decides).
	TenantFrom string `mapstructure:"tenant_from"`
	// TenantAttributes are the names under which senders may name a tenant; all are removed before the credential's is written.
	TenantAttributes []string `mapstructure:"tenant_attributes"`
	// Users is pseudonym (HMAC-SHA256 under the key, as the SDK makes it), drop, or keep (an agent, whose gateway does it).
	Users string `mapstructure:"users"`
	// UserKeyFile holds the key of the pseudonyms, at least 16 bytes: the SPANLEDGER_USER_KEY of services that make them themselves.
	UserKeyFile string `mapstructure:"user_key_file"`
}

func defaults() *Config {
	return &Config{Users: usersPseudonym, TenantAttributes: []string{"spanledger.tenant", "tenant.id", "tenant_id"}}
}

// Validate refuses what would let user ids through unasked.
func (c *Config) Validate() error {
	switch c.Users {
	case usersPseudonym:
		if c.UserKeyFile == "" {
			return errors.New("user_key_file: name the file with the key of user pseudonyms (openssl rand -hex 32), or say users: drop")
		}
	case usersDrop, usersKeep:
	default:
		return fmt.Errorf("users: %q is none of %s, %s, %s", c.Users, usersPseudonym, usersDrop, usersKeep)
	}
	return nil
}

// key returns the key of the pseudonyms; nil where none are made.
func (c *Config) key() ([]byte, error) {
	if c.Users != usersPseudonym {
		return nil, nil
	}
	text, err := os.ReadFile(c.UserKeyFile)
	if err != nil {
		return nil, fmt.Errorf("user_key_file cannot be read: %w", err)
	}
	key := []byte(strings.TrimSpace(string(text)))
	if len(key) < keyBytesMin {
		return nil, fmt.Errorf("user_key_file: %s holds %d bytes and can be guessed; use %d or more (openssl rand -hex 32)", c.UserKeyFile, len(key), keyBytesMin)
	}
	return key, nil
}
