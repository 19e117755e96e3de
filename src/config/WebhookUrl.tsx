import React from 'react';
import { Button, Stack } from '@grafana/ui';
import { type Webhook, type WebhookSecret } from '../settings';
import { compact, type EditorProps, hasSecret, withSecret, withSettings } from './options';
import { useReadOnly } from './readOnly';
import { SecretField } from './SecretField';

/** The secret with the URL of a target, by its position. */
export const webhookSecret = (index: number): WebhookSecret => `webhookUrl${index + 1}`;

/** Targets of PagerDuty know a sender by its integration key. */
export const isPagerDuty = (kind: Webhook['kind']) => kind === 'pagerDutyChanges' || kind === 'pagerDuty';

/** The URL of a target, which often holds a token. One in jsonData can be moved to where viewers do not see it. */
export function WebhookUrl({ index, ...props }: EditorProps & { index: number }) {
  const { options, onOptionsChange } = props;
  const readOnly = useReadOnly();
  const rows = options.jsonData.webhooks ?? [];
  const { kind, url } = rows[index] ?? {};
  const name = webhookSecret(index);
  const withoutUrl = (changed: EditorProps['options']) =>
    withSettings(changed, {
      webhooks: rows.map((row, at): Webhook => (at === index ? compact({ ...row, url: undefined }) : row)),
    });
  const visible = Boolean(url) && !hasSecret(options, name);
  return (
    <Stack direction="column" gap={0}>
      <SecretField
        {...props}
        name={name}
        label="Target URL"
        placeholder={url}
        description={
          visible
            ? 'Viewers can see this URL: store it encrypted.'
            : isPagerDuty(kind)
              ? 'Stored encrypted. Empty for PagerDuty itself.'
              : 'Stored encrypted.'
        }
        onOptionsChange={(changed) => onOptionsChange(hasSecret(changed, name) ? withoutUrl(changed) : changed)}
      />
      {visible && (
        <Button
          variant="secondary"
          icon="lock"
          disabled={readOnly}
          onClick={() => onOptionsChange(withoutUrl(withSecret(options, name, url ?? '')))}
        >
          Store encrypted
        </Button>
      )}
    </Stack>
  );
}
