// Package tokens says who sends: bearer tokens from a file, each with the tenant whose spans it brings.
//
// It is the file of `spanledger up --tokens`: a line `TOKEN TENANT` for each who may send; a token alone is that of somebody who is
// trusted to name tenants, such as another gateway.
package tokens

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.uber.org/zap"
)

const (
	charsMin       = 16
	tenantCharsMax = 128
	bytesMax       = 1_000_000
)

var errUnknown = errors.New("send the header `Authorization: Bearer TOKEN` with a token of this collector; this request shows none that it knows")

// Config is what the extension spanledger_tokens is told.
type Config struct {
	// File has a line `TOKEN TENANT` for each who may send, and is closed to others (mode 0600, or 0440 as Kubernetes mounts it).
	// It is read again when it changes.
	File string `mapstructure:"file"`
}

// NewFactory makes the extension spanledger_tokens.
func NewFactory() extension.Factory {
	return extension.NewFactory(component.MustNewType("spanledger_tokens"), func() component.Config { return &Config{} },
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return &tokens{file: cfg.(*Config).File, log: set.Logger}, nil
		}, component.StabilityLevelBeta)
}

type digest [sha256.Size]byte

type tokens struct {
	component.ShutdownFunc
	file string
	log  *zap.Logger

	mutex   sync.Mutex
	tenants map[digest]string
	state   state
}

// state tells one content of the file from another without reading it.
type state struct {
	modified time.Time
	size     int64
	mode     os.FileMode
}

var (
	_ extension.Extension  = (*tokens)(nil)
	_ extensionauth.Server = (*tokens)(nil)
)

// Start reads the file; what cannot be used stops the collector.
func (t *tokens) Start(context.Context, component.Host) error {
	t.state = stateOf(t.file)
	tenants, err := read(t.file)
	t.tenants = tenants
	return err
}

// Authenticate returns a context that says for whom the request speaks.
func (t *tokens) Authenticate(ctx context.Context, headers map[string][]string) (context.Context, error) {
	tenant, known := t.current()[digestOf(shown(headers))]
	if !known {
		return ctx, errUnknown
	}
	info := client.FromContext(ctx)
	info.Auth = credential{tenant}
	return client.NewContext(ctx, info), nil
}

// current returns the tokens that hold: of the file as it is, or, while that cannot be used, as it was.
func (t *tokens) current() map[digest]string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	now := stateOf(t.file)
	if now == t.state {
		return t.tenants
	}
	t.state = now
	tenants, err := read(t.file)
	if err != nil {
		t.log.Error("The tokens stay what they were.", zap.Error(err))
		return t.tenants
	}
	t.log.Info("Read the tokens again.", zap.String("file", t.file), zap.Int("tokens", len(tenants)))
	t.tenants = tenants
	return tenants
}

// credential is what a token stands for, as other components read it.
type credential struct{ tenant string }

func (c credential) GetAttribute(name string) any {
	switch name {
	case "tenant":
		return c.tenant
	case "names_tenants": // may say whose its spans are
		return c.tenant == ""
	default:
		return nil
	}
}

func (credential) GetAttributeNames() []string { return []string{"tenant", "names_tenants"} }

func shown(headers map[string][]string) string {
	for name, values := range headers {
		if strings.EqualFold(name, "authorization") && len(values) == 1 {
			kind, token, _ := strings.Cut(strings.TrimSpace(values[0]), " ")
			if strings.EqualFold(kind, "bearer") {
				return strings.TrimSpace(token)
			}
		}
	}
	return ""
}

// Looked up by digest, so that the time of an answer tells nothing about a token.
func digestOf(token string) digest { return sha256.Sum256([]byte(token)) }

func stateOf(file string) state {
	info, err := os.Stat(file)
	if err != nil {
		return state{}
	}
	return state{info.ModTime(), info.Size(), info.Mode()}
}

func read(file string) (map[digest]string, error) {
	text, err := contents(file)
	if err != nil {
		return nil, err
	}
	tenants := map[digest]string{}
	for number, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		token, tenant, _ := strings.Cut(line, " ")
		tenant = strings.TrimSpace(tenant)
		if err := check(token, tenant); err != nil {
			return nil, fmt.Errorf("line %d of %s %w", number+1, file, err) // never says the token
		}
		if _, twice := tenants[digestOf(token)]; twice {
			return nil, fmt.Errorf("line %d of %s repeats a token: each has one tenant", number+1, file)
		}
		tenants[digestOf(token)] = tenant
	}
	if len(tenants) == 0 {
		return nil, fmt.Errorf("the file of tokens %s has none: write a line `TOKEN TENANT` for each", file)
	}
	return tenants, nil
}

func contents(file string) (string, error) {
	if file == "" {
		return "", errors.New("spanledger_tokens: name the file of tokens (file)")
	}
	opened, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("the file of tokens cannot be read: %w", err)
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		return "", fmt.Errorf("the file of tokens cannot be read: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", fmt.Errorf("the file of tokens %s can be read by others (mode %04o): chmod 600 %s", file, info.Mode().Perm(), file)
	}
	text, err := io.ReadAll(io.LimitReader(opened, bytesMax+1))
	if err != nil || len(text) > bytesMax || !utf8.Valid(text) {
		return "", fmt.Errorf("the file of tokens %s is larger than %d bytes, or no UTF-8; it has a line for each token", file, bytesMax)
	}
	return string(text), nil
}

func check(token, tenant string) error {
	for _, char := range token {
		if char > unicode.MaxASCII || !unicode.IsPrint(char) {
			return errors.New("begins with no token: visible ASCII characters, such as `openssl rand -hex 32` prints")
		}
	}
	if len(token) < charsMin {
		return fmt.Errorf("begins with no token: at least %d characters, such as `openssl rand -hex 32` prints", charsMin)
	}
	if utf8.RuneCountInString(tenant) > tenantCharsMax || !isPrintable(tenant) {
		return fmt.Errorf("names no tenant: at most %d printable characters behind the token", tenantCharsMax)
	}
	return nil
}

func isPrintable(text string) bool {
	return strings.IndexFunc(text, func(char rune) bool { return !unicode.IsPrint(char) }) < 0
}
