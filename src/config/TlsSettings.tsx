import React from 'react';
import { config } from '@grafana/runtime';
import { type Upstream } from '../settings';
import { type UpstreamProps } from './options';
import { SecretField } from './SecretField';
import { SwitchSetting } from './SwitchSetting';
import { TextSetting } from './TextSetting';

/** Certificates, and the way through a proxy where Grafana has one. */
export function TlsSettings(props: UpstreamProps) {
  const { options, name, onUpstreamChange } = props;
  const upstream: Upstream = options.jsonData[name] ?? {};
  return (
    <>
      <SecretField
        {...props}
        name={`${name}TlsCaCert`}
        label="CA certificate"
        description="Certificate authority of the server, in PEM format."
        placeholder="-----BEGIN CERTIFICATE-----"
        multiline
      />
      <SecretField
        {...props}
        name={`${name}TlsClientCert`}
        label="Client certificate"
        placeholder="-----BEGIN CERTIFICATE-----"
        multiline
      />
      <SecretField
        {...props}
        name={`${name}TlsClientKey`}
        label="Client key"
        placeholder="-----BEGIN PRIVATE KEY-----"
        multiline
      />
      <TextSetting
        label="Server name"
        description="Name in the server's certificate, if it differs from the host of the URL."
        value={upstream.tlsServerName}
        onChange={(tlsServerName) => onUpstreamChange({ tlsServerName })}
      />
      <SwitchSetting
        label="Skip certificate check"
        description="Insecure: others on the network can read and forge responses."
        value={upstream.tlsSkipVerify}
        onChange={(tlsSkipVerify) => onUpstreamChange({ tlsSkipVerify })}
      />
      {config.secureSocksDSProxyEnabled && (
        <SwitchSetting
          label="Secure socks proxy"
          description="Connect through Grafana's private data source connect."
          value={upstream.secureSocksProxy}
          onChange={(secureSocksProxy) => onUpstreamChange({ secureSocksProxy })}
        />
      )}
    </>
  );
}
