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
        description="To trust a server with a certificate of your own authority."
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
        description="The name in the server's certificate, where it is not the host of the URL."
        value={upstream.tlsServerName}
        onChange={(tlsServerName) => onUpstreamChange({ tlsServerName })}
      />
      <SwitchSetting
        label="Skip certificate check"
        description="Anyone on the way can then read and forge answers."
        value={upstream.tlsSkipVerify}
        onChange={(tlsSkipVerify) => onUpstreamChange({ tlsSkipVerify })}
      />
      {config.secureSocksDSProxyEnabled && (
        <SwitchSetting
          label="Secure socks proxy"
          description="Reach the server through Grafana's private connection."
          value={upstream.secureSocksProxy}
          onChange={(secureSocksProxy) => onUpstreamChange({ secureSocksProxy })}
        />
      )}
    </>
  );
}
