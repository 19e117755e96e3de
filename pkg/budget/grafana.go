package budget

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// Of is the caller of a request as Grafana describes it. Grafana evaluates rules
// without a user or as a user of its own, and marks them with a header that it
// takes from nobody else.
func Of(request backend.PluginContext, fromAlert bool) Caller {
	caller := Caller{Source: strconv.FormatInt(request.OrgID, 10)}
	if source := request.DataSourceInstanceSettings; source != nil {
		caller.Source = fmt.Sprintf("%d/%d/%s", request.OrgID, source.ID, source.UID)
	}
	user := request.User
	switch {
	case user == nil || user.Login == "":
		caller.User = "nobody of " + caller.Source
	default:
		caller.User = fmt.Sprintf("%d/%s", request.OrgID, user.Login)
	}
	if fromAlert && mayEvaluateRules(user) {
		caller.Class = Rule
	}
	return caller
}

// mayEvaluateRules tells whether a rule can be evaluated on behalf of a user:
// Grafana's own, or one who may write rules and looks at a preview.
func mayEvaluateRules(user *backend.User) bool {
	return user == nil || user.Login == "" || user.Login == scheduler || user.Role == "Editor" || user.Role == "Admin"
}

// scheduler is the user as which Grafana evaluates rules.
const scheduler = "grafana_scheduler"

// OfRoute is the caller of an HTTP route. Engines come with the token of a
// service account, whose login begins with sa-.
func OfRoute(request backend.PluginContext) Caller {
	caller := Of(request, false)
	if request.User != nil && strings.HasPrefix(request.User.Login, "sa-") {
		caller.Class = Engine
	}
	return caller
}
