import React, { useId } from 'react';
import { Field, SecretInput, SecretTextArea } from '@grafana/ui';
import { type SecretName } from '../settings';
import { type EditorProps, withoutSecrets, withSecret } from './options';
import { useReadOnly } from './readOnly';

interface Props extends EditorProps {
  name: SecretName;
  label: string;
  description?: string;
  placeholder?: string;
  required?: boolean;
  /** For certificates and keys. */
  multiline?: boolean;
}

export function SecretField({
  options,
  onOptionsChange,
  name,
  label,
  description,
  placeholder,
  required,
  multiline,
}: Props) {
  const id = useId();
  const readOnly = useReadOnly();
  const shared = {
    id,
    placeholder,
    required,
    disabled: readOnly,
    isConfigured: Boolean(options.secureJsonFields?.[name]),
    value: options.secureJsonData?.[name] ?? '',
    onReset: () => onOptionsChange(withoutSecrets(options, name)),
  };
  return (
    <Field label={label} description={description} htmlFor={id} required={required}>
      {multiline ? (
        <SecretTextArea
          {...shared}
          rows={4}
          cols={60}
          onChange={(event) => onOptionsChange(withSecret(options, name, event.currentTarget.value))}
        />
      ) : (
        <SecretInput
          {...shared}
          width={60}
          onChange={(event) => onOptionsChange(withSecret(options, name, event.currentTarget.value))}
        />
      )}
    </Field>
  );
}
