import React from 'react';
import { type Webhook } from '../settings';
import { ChoiceSetting } from './ChoiceSetting';
import { compact, type EditorProps, hasSecret, withoutSecrets, withSettings } from './options';
import { RowList } from './RowList';
import { SecretField } from './SecretField';
import { SwitchSetting } from './SwitchSetting';
import { TextSetting } from './TextSetting';
import { isPagerDuty, WebhookUrl, webhookSecret } from './WebhookUrl';
import { Folded } from '../Folded';

const kinds: Array<{ value: NonNullable<Webhook['kind']>; label: string }> = [
  { value: 'cloudEvents', label: 'CloudEvents, signed' },
  { value: 'pagerDutyChanges', label: 'Change events of PagerDuty' },
  { value: 'slack', label: 'Slack' },
  { value: 'teams', label: 'Teams' },
  { value: 'pagerDuty', label: 'PagerDuty' },
  { value: 'discord', label: 'Discord' },
  { value: 'grafanaIrm', label: 'Grafana IRM' },
  { value: 'notification', label: 'Alerts as they came, signed' },
];

/** Who may tell Foresight of alerts, and whom it may tell of events. */
export function HookSettings(props: EditorProps) {
  const { options, onOptionsChange } = props;
  const { webhooks } = options.jsonData;
  const pagerDuty = webhooks?.some(({ kind }) => isPagerDuty(kind));
  const signed = webhooks?.some(({ kind = 'cloudEvents' }) => kind === 'cloudEvents' || kind === 'notification');
  const notifies = webhooks?.some(({ kind = 'cloudEvents' }) => kind !== 'cloudEvents' && kind !== 'pagerDutyChanges');
  return (
    <Folded label="Webhooks">
      <SecretField
        {...props}
        name="webhookSecret"
        label="Secret for incoming alerts"
        description="If set, notifications must carry the signature of Grafana's webhook contact point."
      />
      <RowList<Webhook>
        noun="target"
        rows={webhooks}
        onRowsChange={(changed) => onOptionsChange(withSettings(options, { webhooks: changed }))}
        onRemove={(index, rest) =>
          onOptionsChange(withSettings(withoutSecrets(options, webhookSecret(index)), { webhooks: rest }))
        }
        removable={(index) => !webhooks?.some((_, at) => at > index && hasSecret(options, webhookSecret(at)))}
      >
        {(webhook, set, index) => (
          <>
            <TextSetting label="Target name" value={webhook.name} onChange={(name) => set({ name })} required />
            <ChoiceSetting
              label="Format"
              description="The first two take events, the others notifications of alerts, with their cause."
              choices={kinds}
              value={webhook.kind ?? 'cloudEvents'}
              onChange={(kind) => set({ kind })}
            />
            <WebhookUrl {...props} index={index} />
            <SwitchSetting
              label="Private address"
              description="Allow a target with a private IP address."
              value={webhook.private}
              onChange={(inside) => set({ private: inside })}
            />
          </>
        )}
      </RowList>
      {notifies && (
        <TextSetting
          label="Time for the cause"
          description="Alerts wait no longer for their cause: 1s to 15s."
          placeholder="8s"
          value={options.jsonData.enrich?.deadline}
          onChange={(deadline) => onOptionsChange(withSettings(options, { enrich: compact({ deadline }) }))}
        />
      )}
      {signed && (
        <SecretField
          {...props}
          name="signingSecret"
          label="Signing secret"
          description="In the format of Standard Webhooks: whsec_ followed by base64."
          placeholder="whsec_…"
        />
      )}
      {pagerDuty && <SecretField {...props} name="pagerDutyRoutingKey" label="PagerDuty integration key" />}
    </Folded>
  );
}
