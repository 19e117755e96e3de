package webhook

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var event = Event{Source: "foresight", Type: "foresight.predicted_demand.v1", Subject: "cart",
	Time: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), Data: map[string]any{"value": 412.5}}

// receive answers with the statuses in turn, the last one for ever, and keeps
// what came.
type receiver struct {
	statuses []int
	bodies   [][]byte
	headers  []http.Header
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.bodies, r.headers = append(r.bodies, body), append(r.headers, request.Header)
	status := r.statuses[min(len(r.bodies), len(r.statuses))-1]
	if status == http.StatusFound {
		w.Header().Set("Location", "http://169.254.169.254/latest/meta-data")
	}
	w.WriteHeader(status)
}

func sender(t *testing.T, statuses ...int) (*Sender, *receiver, *[]time.Duration) {
	t.Helper()
	there := &receiver{statuses: statuses}
	server := httptest.NewServer(there)
	t.Cleanup(server.Close)
	s, err := New([]Target{{Name: "warm", URL: server.URL + "/hidden-path", Private: true}}, Secrets{Signing: secret}, time.Now)
	require.NoError(t, err)
	var pauses []time.Duration
	s.wait = func(d time.Duration) time.Duration { pauses = append(pauses, d); return 0 }
	return s, there, &pauses
}

func TestAReceiverCanVerifyWhatItGets(t *testing.T) {
	s, there, _ := sender(t, 204)
	id, err := s.Send(context.Background(), "warm", event)
	require.NoError(t, err)
	verifier, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify(there.bodies[0], there.headers[0]))
	require.Error(t, verifier.Verify(append(there.bodies[0], ' '), there.headers[0]))
	require.Equal(t, id, there.headers[0].Get("webhook-id"))
	require.Equal(t, "application/cloudevents+json", there.headers[0].Get("Content-Type"))
	var body map[string]any
	require.NoError(t, json.Unmarshal(there.bodies[0], &body))
	require.Equal(t, map[string]any{
		"specversion": "1.0", "id": id, "source": "foresight", "type": "foresight.predicted_demand.v1", "subject": "cart",
		"time": "2026-03-02T12:00:00Z", "datacontenttype": "application/json", "data": map[string]any{"value": 412.5},
	}, body)
}

func TestTheIDIsThatOfTheEvent(t *testing.T) {
	s, _, _ := sender(t, 200)
	first, err := s.Send(context.Background(), "warm", event)
	require.NoError(t, err)
	second, err := s.Send(context.Background(), "warm", event)
	require.NoError(t, err)
	require.Equal(t, first, second)
	other := event
	other.Subject, other.Type = "cartforesight", "x"
	third, err := s.Send(context.Background(), "warm", other)
	require.NoError(t, err)
	require.NotEqual(t, first, third)
}

func TestAttempts(t *testing.T) {
	for name, test := range map[string]struct {
		statuses []int
		attempts int
		works    bool
	}{
		"at once":         {[]int{200}, 1, true},
		"it recovers":     {[]int{503, 429, 202}, 3, true},
		"it stays down":   {[]int{500}, maxAttempts, false},
		"it refuses":      {[]int{403}, 1, false},
		"it leads inside": {[]int{302}, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, there, pauses := sender(t, test.statuses...)
			_, err := s.Send(context.Background(), "warm", event)
			require.Equal(t, test.works, err == nil, err)
			require.Len(t, there.bodies, test.attempts)
			for i := range there.bodies {
				require.Equal(t, there.headers[0].Get("webhook-id"), there.headers[i].Get("webhook-id"))
			}
			for i, pause := range *pauses {
				require.Equal(t, firstPause<<i, pause)
			}
			if err != nil {
				require.NotContains(t, err.Error(), "hidden-path")
			}
		})
	}
	s, _, _ := sender(t, 500)
	ctx, cancel := context.WithCancel(t.Context())
	s.wait = func(time.Duration) time.Duration { cancel(); return time.Minute }
	_, err := s.Send(ctx, "warm", event)
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Send(context.Background(), "elsewhere", event)
	var unknown *UnknownTargetError
	require.ErrorAs(t, err, &unknown)
}

func TestNoWayInside(t *testing.T) {
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	defer inside.Close()
	s, err := New([]Target{{Name: "x", URL: inside.URL}}, Secrets{Signing: secret}, time.Now)
	require.NoError(t, err)
	_, err = s.Send(context.Background(), "x", event)
	require.ErrorIs(t, err, errPrivate)
	for _, address := range []string{"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
		"198.18.0.1", "240.0.0.1", "255.255.255.255", "224.0.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1",
		"64:ff9b::a00:1", "2002:a00:1::", "2001:db8::1"} {
		require.False(t, public(netip.MustParseAddr(address)), address)
	}
	for _, address := range []string{"93.184.215.14", "1.1.1.1", "2606:4700::1111", "172.32.0.1"} {
		require.True(t, public(netip.MustParseAddr(address)), address)
	}
}

func TestSettings(t *testing.T) {
	none, err := New(nil, Secrets{}, time.Now)
	require.NoError(t, err)
	require.Nil(t, none)
	good := Target{Name: "x", URL: "https://example.com/h"}
	for name, test := range map[string]struct {
		target Target
		secret string
	}{
		"no secret":    {good, ""},
		"short":        {good, "whsec_YQ=="},
		"no base64":    {good, "whsec_~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"},
		"no name":      {Target{URL: good.URL}, secret},
		"plain http":   {Target{Name: "x", URL: "http://example.com"}, secret},
		"no scheme":    {Target{Name: "x", URL: "example.com"}, secret},
		"a user":       {Target{Name: "x", URL: "https://a:b@example.com"}, secret},
		"another kind": {Target{Name: "x", URL: "file:///etc/passwd", Private: true}, secret},
	} {
		_, err := New([]Target{test.target}, Secrets{Signing: test.secret}, time.Now)
		require.Error(t, err, name)
		if test.secret != "" {
			require.NotContains(t, err.Error(), test.secret, name)
		}
	}
}
