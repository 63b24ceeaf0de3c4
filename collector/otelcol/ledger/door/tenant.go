package door

import (
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

const tenantTag = "spanledger.tenant"

var errNobody = consumererror.NewPermanent(errors.New(
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
