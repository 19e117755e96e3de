import React, { useState } from 'react';
import { getValueFormat } from '@grafana/data';
import { getBackendSrv } from '@grafana/runtime';
import { Alert, Button, Stack, useTheme2 } from '@grafana/ui';
import { type Signal, type SignalKind } from '../settings';
import { ReadOnly, useReadOnly } from './readOnly';
import { Sparkline } from './Sparkline';
import { TextSetting } from './TextSetting';

/** What one signal finds; see pkg/plugin/signals.go. */
interface Previewed {
  kind: SignalKind;
  name: string;
  unit?: string;
  template: string;
  own: boolean;
  values: Array<number | null>;
  problem?: string;
}

interface Props {
  uid: string;
  signals: Signal[] | undefined;
  /** Takes over a signal that was found, to be corrected. */
  onAdopt: (signal: Signal) => void;
}

/** What the signals on the screen find for one service over the last hour. */
export function SignalPreview({ uid, signals = [], onAdopt }: Props) {
  const [service, setService] = useState('');
  const [found, setFound] = useState<Previewed[]>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const look = async () => {
    setBusy(true);
    try {
      const asked = { service: service.trim(), signals };
      const path = `/api/datasources/uid/${uid}/resources/signals`;
      const answer = await getBackendSrv().post<{ signals: Previewed[] }>(path, asked, { showErrorAlert: false });
      setFound(answer.signals);
      setProblem(undefined);
    } catch (refused) {
      const { data, message } = Object(refused);
      setProblem(data?.error ?? data?.message ?? message ?? 'The preview did not answer.');
      setFound(undefined);
    }
    setBusy(false);
  };
  return (
    <Stack direction="column" gap={1} alignItems="flex-start">
      <ReadOnly.Provider value={false}>
        <TextSetting
          label="Preview for service"
          description="Shows the values of these signals over the last hour, from the saved servers."
          placeholder="checkout"
          value={service}
          onChange={setService}
        />
      </ReadOnly.Provider>
      <Button variant="secondary" icon="eye" disabled={busy || service.trim() === ''} onClick={look}>
        Show signals
      </Button>
      <div aria-live="polite">
        {problem && <Alert severity="error" title={problem} />}
        {found && <Found found={found} onAdopt={onAdopt} />}
      </div>
    </Stack>
  );
}

function Found({ found, onAdopt }: { found: Previewed[] } & Pick<Props, 'onAdopt'>) {
  const theme = useTheme2();
  const readOnly = useReadOnly();
  const cell = { padding: theme.spacing(0.5, 2, 0.5, 0), verticalAlign: 'top' } as const;
  if (found.length === 0) {
    return <p>No signal was found: define some here.</p>;
  }
  return (
    <table>
      <thead>
        <tr>
          {['Kind', 'Signal', 'Now', 'The last hour', 'PromQL'].map((title) => (
            <th key={title} scope="col" style={cell}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {found.map(({ kind, name, unit, template, own, values, problem }) => {
          const seen = values.filter((value) => value !== null);
          return (
            <tr key={`${kind} ${name}`}>
              <td style={cell}>{kind}</td>
              <th scope="row" style={cell}>
                {name}
              </th>
              <td style={cell}>{written(seen.at(-1), unit)}</td>
              <td style={cell}>
                {seen.length > 0 && (
                  <>
                    <Sparkline values={values} />
                    {`${written(Math.min(...seen), unit)} to ${written(Math.max(...seen), unit)}`}
                  </>
                )}
                {problem && <span> {problem}</span>}
              </td>
              <td style={cell}>
                <code style={{ overflowWrap: 'anywhere', whiteSpace: 'normal' }}>{template}</code>
                {!own && !readOnly && (
                  <Button
                    variant="secondary"
                    size="sm"
                    icon="pen"
                    aria-label={`Correct ${name}`}
                    onClick={() => onAdopt({ name, kind, expr: template })}
                  >
                    Correct
                  </Button>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function written(value: number | undefined, unit = 'short') {
  if (value === undefined) {
    return '–';
  }
  const { text, suffix = '' } = getValueFormat(unit)(value);
  return text + suffix;
}
