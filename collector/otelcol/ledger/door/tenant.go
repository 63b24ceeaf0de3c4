package door

import (
	"context"
	"slices"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const tenantTag = "spanledger.tenant"

// With a status of its own the sender is told 403; without one it would be told 500, as if the gateway had failed.
var errNobody = consumererror.NewPermanent(status.Error(codes.PermissionDenied,
	"the credential names no tenant: the receiver needs an authenticator, and tenant_from an attribute that it gives"))

// stamp writes on attributes whose they are.
type stamp func(pcommon.Map)

func untouched(pcommon.Map) {}

// stampOf returns what to write on the data of a request; an error when nobody vouches for it.
func (d *door) stampOf(ctx context.Context) (stamp, error) {
	if d.tenantFrom == "" {
		return untouched, nil
	}
	auth := client.FromContext(ctx).Auth
	if auth == nil {
		return nil, errNobody
	}
	if trusted, _ := auth.GetAttribute("names_tenants").(bool); trusted {
		return untouched, nil
	}
	tenant, _ := auth.GetAttribute(d.tenantFrom).(string)
	if tenant == "" {
		return nil, errNobody
	}
	return func(attributes pcommon.Map) {
		attributes.RemoveIf(func(name string, _ pcommon.Value) bool { return slices.Contains(d.tenantNames, name) })
		attributes.PutStr(tenantTag, tenant)
	}, nil
}
