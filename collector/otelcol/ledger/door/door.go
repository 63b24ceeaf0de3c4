package door

import (
	"context"
	"fmt"
	"regexp"
	"unicode/utf8"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"
)

// A log body that is the name of an event, as some emitters have it.
var eventName = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$`)

type door struct {
	tenantFrom  string
	tenantNames []string
	users       string
	key         []byte
}

// NewFactory makes the processor spanledger.
func NewFactory() processor.Factory {
	return processor.NewFactory(component.MustNewType("spanledger"), func() component.Config { return defaults() },
		processor.WithTraces(newTraces, component.StabilityLevelBeta), processor.WithLogs(newLogs, component.StabilityLevelBeta))
}

func newDoor(cfg component.Config) (*door, error) {
	config := cfg.(*Config)
	key, err := config.key()
	if err != nil {
		return nil, err
	}
	return &door{config.TenantFrom, append(config.TenantAttributes, tenantTag), config.Users, key}, nil
}

func newTraces(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	door, err := newDoor(cfg)
	if err != nil {
		return nil, err
	}
	return processorhelper.NewTraces(ctx, set, cfg, next, door.traces, processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: true}))
}

func newLogs(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	door, err := newDoor(cfg)
	if err != nil {
		return nil, err
	}
	return processorhelper.NewLogs(ctx, set, cfg, next, door.logs, processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: true}))
}

func (d *door) traces(ctx context.Context, data ptrace.Traces) (ptrace.Traces, error) {
	write, err := d.stampOf(ctx)
	if err != nil {
		return data, err
	}
	for _, resource := range data.ResourceSpans().All() {
		d.admit(resource.Resource().Attributes(), write)
		resource.SetSchemaUrl(nameOf(resource.SchemaUrl()))
		for _, scoped := range resource.ScopeSpans().All() {
			d.scope(scoped.Scope())
			scoped.SetSchemaUrl(nameOf(scoped.SchemaUrl()))
			for _, span := range scoped.Spans().All() {
				d.span(span, write)
			}
		}
	}
	return data, nil
}

func (d *door) span(span ptrace.Span, write stamp) {
	d.admit(span.Attributes(), write)
	span.SetName(nameOf(span.Name()))
	span.TraceState().FromRaw(nameOf(span.TraceState().AsRaw()))
	errorType(span)
	span.Status().SetMessage("")
	span.Events().RemoveIf(func(event ptrace.SpanEvent) bool { return !isException(event) })
	for _, link := range span.Links().All() {
		d.admit(link.Attributes(), untouched)
		link.TraceState().FromRaw(nameOf(link.TraceState().AsRaw()))
	}
}

func (d *door) logs(ctx context.Context, data plog.Logs) (plog.Logs, error) {
	write, err := d.stampOf(ctx)
	if err != nil {
		return data, err
	}
	for _, resource := range data.ResourceLogs().All() {
		d.admit(resource.Resource().Attributes(), write)
		resource.SetSchemaUrl(nameOf(resource.SchemaUrl()))
		for _, scoped := range resource.ScopeLogs().All() {
			d.scope(scoped.Scope())
			scoped.SetSchemaUrl(nameOf(scoped.SchemaUrl()))
			for _, record := range scoped.LogRecords().All() {
				d.record(record, write)
			}
		}
	}
	return data, nil
}

func (d *door) record(record plog.LogRecord, write stamp) {
	d.admit(record.Attributes(), write)
	record.SetEventName(nameOf(record.EventName()))
	record.SetSeverityText(nameOf(record.SeverityText()))
	if !(record.Body().Type() == pcommon.ValueTypeStr && len(record.Body().Str()) <= names.OwnCharsMax && eventName.MatchString(record.Body().Str())) {
		pcommon.NewValueEmpty().CopyTo(record.Body())
	}
	// The exporter writes the column EventName only if ClickHouse answered when it started.
	if _, told := record.Attributes().Get("event.name"); !told && record.EventName() != "" {
		record.Attributes().PutStr("event.name", record.EventName())
	}
}

func (d *door) scope(scope pcommon.InstrumentationScope) {
	d.admit(scope.Attributes(), untouched)
	scope.SetName(nameOf(scope.Name()))
	scope.SetVersion(nameOf(scope.Version()))
}

func (d *door) admit(attributes pcommon.Map, write stamp) {
	d.hideUsers(attributes)
	keepFacts(attributes)
	write(attributes)
}

// nameOf returns a name; one that is no name but a text is replaced by its length.
func nameOf(name string) string {
	if chars := utf8.RuneCountInString(name); chars > names.NameCharsMax || !isPrintable(name) {
		return fmt.Sprintf("(a name of %d characters)", chars)
	}
	return name
}

// isException reduces an event to that there was an exception, and of which type; false for any other.
func isException(event ptrace.SpanEvent) bool {
	kind, known := event.Attributes().Get("exception.type")
	if event.Name() != "exception" || !known || kind.Type() != pcommon.ValueTypeStr {
		return false
	}
	text := nameOf(kind.Str())
	event.Attributes().Clear()
	event.Attributes().PutStr("exception.type", text)
	return true
}

// errorType tells the type of an error that only an event tells.
func errorType(span ptrace.Span) {
	if _, told := span.Attributes().Get("error.type"); told || span.Status().Code() != ptrace.StatusCodeError {
		return
	}
	for _, event := range span.Events().All() {
		if kind, known := event.Attributes().Get("exception.type"); known && event.Name() == "exception" {
			span.Attributes().PutStr("error.type", nameOf(kind.AsString()))
		}
	}
}
