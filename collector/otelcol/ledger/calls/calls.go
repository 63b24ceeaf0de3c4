// Package calls parts spans of model calls, which carry money and which no sampling may touch, from all others.
package calls

import (
	"context"
	"errors"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pipeline"
)

// Config is what the connector spanledger_calls is told.
type Config struct {
	// Attributes are beginnings of names: a span with such an attribute is one of a model call, or belongs to one.
	Attributes []string `mapstructure:"attributes"`
	// Scopes are beginnings of names of instrumentation scopes whose spans are all such.
	Scopes []string `mapstructure:"scopes"`
	// Calls are the pipelines for these spans.
	Calls []pipeline.ID `mapstructure:"calls"`
	// Rest are the pipelines for all others; none: they are dropped.
	Rest []pipeline.ID `mapstructure:"rest"`
}

// Validate refuses a configuration in which spans of calls go nowhere.
func (c *Config) Validate() error {
	if len(c.Calls) == 0 || len(c.Attributes) == 0 {
		return errors.New("attributes, calls: say what a span of a model call is, and which pipelines take it")
	}
	return nil
}

// NewFactory makes the connector spanledger_calls.
func NewFactory() connector.Factory {
	return connector.NewFactory(component.MustNewType("spanledger_calls"), func() component.Config { return &Config{} },
		connector.WithTracesToTraces(newCalls, component.StabilityLevelBeta))
}

type calls struct {
	component.StartFunc
	component.ShutdownFunc
	config     *Config
	ours, rest consumer.Traces
}

func newCalls(_ context.Context, _ connector.Settings, cfg component.Config, next consumer.Traces) (connector.Traces, error) {
	config := cfg.(*Config)
	router, ok := next.(connector.TracesRouterAndConsumer)
	if !ok {
		return nil, errors.New("spanledger_calls stands between pipelines of traces")
	}
	made := &calls{config: config}
	var err error
	if made.ours, err = router.Consumer(config.Calls...); err != nil {
		return nil, err
	}
	if len(config.Rest) > 0 {
		if made.rest, err = router.Consumer(config.Rest...); err != nil {
			return nil, err
		}
	}
	return made, nil
}

func (*calls) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

// ConsumeTraces hands on spans of calls first: a request is acknowledged when these are in their queue.
func (c *calls) ConsumeTraces(ctx context.Context, data ptrace.Traces) error {
	rest := c.part(data)
	if data.SpanCount() > 0 {
		if err := c.ours.ConsumeTraces(ctx, data); err != nil {
			return err
		}
	}
	if c.rest != nil && rest.SpanCount() > 0 {
		return c.rest.ConsumeTraces(ctx, rest)
	}
	return nil
}

// part leaves spans of calls in data, and returns the others.
func (c *calls) part(data ptrace.Traces) ptrace.Traces {
	rest := ptrace.NewTraces()
	data.ResourceSpans().RemoveIf(func(resource ptrace.ResourceSpans) bool {
		others := ptrace.NewResourceSpans()
		resource.ScopeSpans().RemoveIf(func(scoped ptrace.ScopeSpans) bool {
			c.partScope(scoped, others)
			return scoped.Spans().Len() == 0
		})
		if others.ScopeSpans().Len() > 0 {
			resource.Resource().CopyTo(others.Resource())
			others.SetSchemaUrl(resource.SchemaUrl())
			others.MoveTo(rest.ResourceSpans().AppendEmpty())
		}
		return resource.ScopeSpans().Len() == 0
	})
	return rest
}

func (c *calls) partScope(scoped ptrace.ScopeSpans, others ptrace.ResourceSpans) {
	if startsWithAny(scoped.Scope().Name(), c.config.Scopes) {
		return
	}
	left := ptrace.NewSpanSlice()
	scoped.Spans().RemoveIf(func(span ptrace.Span) bool {
		if c.isCall(span) {
			return false
		}
		span.CopyTo(left.AppendEmpty())
		return true
	})
	if left.Len() > 0 {
		made := others.ScopeSpans().AppendEmpty()
		scoped.Scope().CopyTo(made.Scope())
		made.SetSchemaUrl(scoped.SchemaUrl())
		left.MoveAndAppendTo(made.Spans())
	}
}

func (c *calls) isCall(span ptrace.Span) bool {
	for name := range span.Attributes().All() {
		if startsWithAny(name, c.config.Attributes) {
			return true
		}
	}
	return false
}

func startsWithAny(name string, beginnings []string) bool {
	for _, beginning := range beginnings {
		if strings.HasPrefix(name, beginning) {
			return true
		}
	}
	return false
}
