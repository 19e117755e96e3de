import React, { useState } from 'react';
import { Field, RadioButtonGroup } from '@grafana/ui';
import { type SecretName, type Upstream } from '../settings';
import { compact, hasSecret, type Options, type UpstreamProps, withoutSecrets, withSettings } from './options';
import { useReadOnly } from './readOnly';
import { SecretField } from './SecretField';
import { TextSetting } from './TextSetting';

type Method = 'none' | 'basic' | 'bearer';

const methods: Array<{ value: Method; label: string }> = [
  { value: 'none', label: 'None' },
  { value: 'basic', label: 'User and password' },
  { value: 'bearer', label: 'Bearer token' },
];

/** Who Foresight is to the server. */
export function AuthenticationSettings(props: UpstreamProps) {
  const { options, onOptionsChange, name, onUpstreamChange } = props;
  const upstream: Upstream = options.jsonData[name] ?? {};
  const password: SecretName = `${name}Password`;
  const token: SecretName = `${name}Token`;
  const readOnly = useReadOnly();
  // The choice stays while its fields are empty.
  const [method, setMethod] = useState(() => methodOf(upstream, options, token));

  const choose = (next: Method) => {
    setMethod(next);
    const keep: Partial<Upstream> = next === 'basic' ? {} : { basicAuthUser: undefined };
    const forgotten = [...(next === 'basic' ? [] : [password]), ...(next === 'bearer' ? [] : [token])];
    const cleared = withoutSecrets(options, ...forgotten.filter((secret) => hasSecret(options, secret)));
    onOptionsChange(withSettings(cleared, { [name]: compact({ ...upstream, ...keep }) }));
  };

  return (
    <>
      <Field label="Authentication">
        <RadioButtonGroup
          aria-label={`Authentication for ${name}`}
          options={methods}
          value={method}
          disabled={readOnly}
          onChange={choose}
        />
      </Field>
      {method === 'basic' && (
        <>
          <TextSetting
            label="User"
            value={upstream.basicAuthUser}
            onChange={(basicAuthUser) => onUpstreamChange({ basicAuthUser })}
          />
          <SecretField {...props} name={password} label="Password" />
        </>
      )}
      {method === 'bearer' && <SecretField {...props} name={token} label="Token" />}
    </>
  );
}

function methodOf(upstream: Upstream, options: Options, token: SecretName): Method {
  if (upstream.basicAuthUser) {
    return 'basic';
  }
  return hasSecret(options, token) ? 'bearer' : 'none';
}
