// Speaks to the query endpoint as the OpenTelemetry Collector's clickhouse exporter and the Grafana data source do: through
// clickhouse-go over HTTP, in every compression that it knows for both ways. Prints one line per compression, or what differs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

const insert = `INSERT INTO "spanledger"."otel_traces" (
  Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName, ScopeVersion,
  SpanAttributes, Duration, StatusCode, StatusMessage, Events.Timestamp, Events.Name, Events.Attributes,
  Links.TraceId, Links.SpanId, Links.TraceState, Links.Attributes)`

const rows = 2000

func options(address, user, password string, method clickhouse.CompressionMethod) *clickhouse.Options {
	return &clickhouse.Options{
		Protocol:    clickhouse.HTTP,
		Addr:        []string{address},
		Auth:        clickhouse.Auth{Database: "default", Username: user, Password: password},
		Compression: &clickhouse.Compression{Method: method, Level: 3},
		Settings:    clickhouse.Settings{"async_insert": 1},
		ClientInfo:  clickhouse.ClientInfo{Products: []struct{ Name, Version string }{{"otelcol", "0.159.0"}}},
	}
}

// write inserts spans as the exporter does, and returns how many of them can be read.
func write(ctx context.Context, opts *clickhouse.Options, service string) (uint64, error) {
	conn, err := clickhouse.Open(opts)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second) // the driver sends what is left of it as max_execution_time
	defer cancel()
	if err := conn.Ping(ctx); err != nil {
		return 0, fmt.Errorf("ping: %w", err)
	}
	batch, err := conn.PrepareBatch(ctx, insert)
	if err != nil {
		return 0, fmt.Errorf("prepare: %w", err)
	}
	now := time.Now().Add(-10 * time.Minute)
	for i := range rows {
		attributes := map[string]string{
			"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5-mini",
			"gen_ai.usage.input_tokens": "1000", "gen_ai.usage.output_tokens": "10", "spanledger.tenant": "go",
		}
		err := batch.Append(
			now.Add(time.Duration(i)*time.Millisecond), fmt.Sprintf("%016x%016x", now.UnixNano(), i+1), fmt.Sprintf("%016x", now.UnixNano()+int64(i)), "", "",
			"chat gpt-5-mini", "Client", service, map[string]string{"service.name": service}, "go", "1", attributes, uint64(1_000_000), "Ok", "",
			[]time.Time{now}, []string{"said"}, []map[string]string{{"a": "b"}}, []string{}, []string{}, []string{}, []map[string]string{})
		if err != nil {
			return 0, fmt.Errorf("append: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return 0, fmt.Errorf("send: %w", err)
	}
	var found uint64
	err = conn.QueryRow(ctx, "SELECT count() FROM spanledger.otel_traces WHERE ServiceName = {service:String}", clickhouse.Named("service", service)).Scan(&found)
	return found, err
}

// ask reads as the Grafana data source does: through database/sql, more rows than one block, no rows, an error with its code.
func ask(ctx context.Context, opts *clickhouse.Options) error {
	db := clickhouse.OpenDB(opts)
	defer db.Close()
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	answer, err := db.QueryContext(ctx, "SELECT number, toString(number), toDecimal128(number, 24) / 3, now64(3) FROM numbers(200000)")
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	defer answer.Close()
	count := 0
	for answer.Next() {
		count++
	}
	if answer.Err() != nil || count != 200000 {
		return fmt.Errorf("read %d of 200000 rows: %w", count, answer.Err())
	}
	var empty string
	if err := db.QueryRowContext(ctx, "SELECT name FROM system.tables WHERE name = 'nothing'").Scan(&empty); err == nil {
		return errors.New("no rows came as a row")
	}
	for statement, code := range map[string]int32{"SELEC 1": 62, "DROP TABLE spanledger.rates": 164, "SELECT * FROM nowhere": 60} {
		_, err := db.ExecContext(ctx, statement)
		var exception *clickhouse.Exception
		if !errors.As(err, &exception) || exception.Code != code {
			return fmt.Errorf("%s gave %w, expected code %d", statement, err, code)
		}
	}
	return nil
}

func main() {
	ctx := context.Background()
	address, writer, reader, password := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	failed := false
	for name, method := range map[string]clickhouse.CompressionMethod{
		"none": clickhouse.CompressionNone, "lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD,
		"gzip": clickhouse.CompressionGZIP, "deflate": clickhouse.CompressionDeflate,
	} {
		written, err := write(ctx, options(address, writer, password, method), "go-"+name)
		if err == nil {
			err = ask(ctx, options(address, reader, password, method))
		}
		fmt.Printf("%s: %d spans written and read, %v\n", name, written, err)
		failed = failed || err != nil || written != rows
	}
	if _, err := write(ctx, options(address, reader, password, clickhouse.CompressionLZ4), "go-reader"); err == nil {
		fmt.Println("a reader could write")
		failed = true
	}
	if failed {
		os.Exit(1)
	}
}
