package transport_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/proxy"
	"github.com/stretchr/testify/require"

	"github.com/foresight-observability/foresight/pkg/upstream"
	"github.com/foresight-observability/foresight/pkg/upstream/transport"
)

// newCertificate is a self-signed certificate and its key, as PEM.
func newCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &private.PublicKey, private)
	require.NoError(t, err)
	bytes, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes}))
}

func TestTLS(t *testing.T) {
	certificate, key := newCertificate(t)
	trusted := x509.NewCertPool()
	require.True(t, trusted.AppendCertsFromPEM([]byte(certificate)))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, len(r.TLS.PeerCertificates))
	}))
	server.TLS = &tls.Config{ClientCAs: trusted, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})

	for name, test := range map[string]struct {
		url, message string
		tls          transport.TLS
	}{
		"mTLS":               {url: server.URL, tls: transport.TLS{CA: ca, Certificate: certificate, Key: key}},
		"not verified":       {url: server.URL, tls: transport.TLS{SkipVerify: true, Certificate: certificate, Key: key}},
		"named":              {url: server.URL, tls: transport.TLS{CA: ca, ServerName: "example.com", Certificate: certificate, Key: key}},
		"unknown authority":  {url: server.URL, message: "CA certificate"},
		"other name":         {url: server.URL, tls: transport.TLS{CA: ca, ServerName: "other.test"}, message: "server name"},
		"client certificate": {url: server.URL, tls: transport.TLS{CA: ca}, message: "client certificate"},
		"server without TLS": {url: strings.Replace(plain.URL, "http:", "https:", 1), message: "does not speak TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := get(newClient(t, transport.Config{URL: test.url, TLS: test.tls}, transport.Limits{}))
			if test.message == "" {
				require.NoError(t, err)
				require.Equal(t, "1", string(body))
				return
			}
			var known *upstream.Error
			require.ErrorAs(t, err, &known)
			require.Equal(t, upstream.TLS, known.Category, err)
			require.Contains(t, err.Error(), test.message)
		})
	}
}

// socks is a SOCKS5 proxy without authentication that connects everybody to
// one server. It returns its address and counts the connections.
func socks(t *testing.T, server string) (address string, connections *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	connections = new(atomic.Int32)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go func() {
				defer func() { _ = client.Close() }()
				greeting := make([]byte, 2)
				_, _ = io.ReadFull(client, greeting)
				_, _ = io.CopyN(io.Discard, client, int64(greeting[1]))
				_, _ = client.Write([]byte{5, 0})
				head := make([]byte, 5) // version, command, reserved, type (a name), length of the name
				_, _ = io.ReadFull(client, head)
				_, _ = io.CopyN(io.Discard, client, int64(head[4])+2)
				_, _ = client.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
				target, err := net.Dial("tcp", server)
				if err != nil {
					return
				}
				defer func() { _ = target.Close() }()
				go func() { _, _ = io.Copy(target, client) }()
				_, _ = io.Copy(client, target)
			}()
		}
	}()
	return listener.Addr().String(), connections
}

func TestSecureSocksProxy(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Host)) })
	address, connections := socks(t, server.Listener.Addr().String())
	options := &proxy.Options{Enabled: true, DatasourceName: "Foresight", ClientCfg: &proxy.ClientCfg{ProxyAddress: address, AllowInsecure: true}}
	body, err := get(newClient(t, transport.Config{URL: "http://prometheus.private:9090", Proxy: options}, transport.Limits{}))
	require.NoError(t, err)
	require.Equal(t, "prometheus.private:9090", string(body))
	require.EqualValues(t, 1, connections.Load())
}
