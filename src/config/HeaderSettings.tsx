import React from 'react';
import { Button, Field, FieldSet, Stack } from '@grafana/ui';
import { type HeaderSecret } from '../settings';
import { compact, type UpstreamProps, withoutSecrets, withSettings } from './options';
import { useReadOnly } from './readOnly';
import { SecretField } from './SecretField';
import { TextSetting } from './TextSetting';

/** Custom HTTP headers. Their values are secrets that belong to a position, so only the last one can be removed. */
export function HeaderSettings(props: UpstreamProps) {
  const { options, onOptionsChange, name, onUpstreamChange } = props;
  const readOnly = useReadOnly();
  const upstream = options.jsonData[name] ?? {};
  const names = upstream.headerNames ?? [];
  const secret = (index: number): HeaderSecret => `${name}HeaderValue${index + 1}`;
  const removeLast = () => {
    const rest = names.slice(0, -1);
    const changed = compact({ ...upstream, headerNames: rest.length ? rest : undefined });
    onOptionsChange(withSettings(withoutSecrets(options, secret(names.length - 1)), { [name]: changed }));
  };
  return (
    <Field label="Custom HTTP headers" description="Sent with each request. Values are stored encrypted.">
      <Stack direction="column" gap={1} alignItems="flex-start">
        {names.map((header, index) => (
          <FieldSet key={index} label={header || `Header ${index + 1}`}>
            <TextSetting
              label={`Header ${index + 1}`}
              placeholder="X-Custom-Header"
              value={header}
              onChange={(text) =>
                onUpstreamChange({ headerNames: names.map((other, at) => (at === index ? text : other)) })
              }
            />
            <SecretField {...props} name={secret(index)} label={`Value ${index + 1}`} />
          </FieldSet>
        ))}
        <Stack gap={1}>
          <Button
            variant="secondary"
            icon="plus"
            disabled={readOnly}
            onClick={() => onUpstreamChange({ headerNames: [...names, ''] })}
          >
            Add header
          </Button>
          {names.length > 0 && (
            <Button variant="secondary" icon="trash-alt" disabled={readOnly} onClick={removeLast}>
              Remove last header
            </Button>
          )}
        </Stack>
      </Stack>
    </Field>
  );
}
