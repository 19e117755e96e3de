import React, { useState } from 'react';
import { getBackendSrv } from '@grafana/runtime';
import { Alert, Button, Icon, Stack } from '@grafana/ui';

/** What the health check says of one server; see pkg/plugin/health.go. */
interface Finding {
  name: string;
  ok: boolean;
  message: string;
  advice?: string[];
}

interface Health {
  message: string;
  details?: { prometheus?: Finding; traces?: Finding; deploys?: Finding[]; adoption?: Finding[] };
}

/** What was found at the servers of the saved settings, and what would make more of it. */
export function Findings({ uid }: { uid: string }) {
  const [health, setHealth] = useState<Health>();
  const [busy, setBusy] = useState(false);
  const check = async () => {
    setBusy(true);
    setHealth(await healthOf(uid));
    setBusy(false);
  };
  return (
    <Stack direction="column" gap={1} alignItems="flex-start">
      <p>What the servers of the saved settings can do, and what would make more of them.</p>
      <div aria-live="polite">{health && <Report {...health} />}</div>
      <Button variant="secondary" icon="sync" disabled={busy} onClick={check}>
        Look now
      </Button>
    </Stack>
  );
}

function Report({ message, details }: Health) {
  const found = [details?.prometheus, details?.traces, ...(details?.deploys ?? [])].filter((one) => one !== undefined);
  if (found.length === 0) {
    return <Alert severity="error" title={message} />;
  }
  return (
    <>
      <List findings={found} good="Works" bad="Does not work" />
      {details?.adoption && (
        <>
          <p>Steps of adoption, and what is missing:</p>
          <List findings={details.adoption} good="Done" bad="Not done" />
        </>
      )}
    </>
  );
}

function List({ findings, good, bad }: { findings: Finding[]; good: string; bad: string }) {
  return (
    <ul>
      {findings.map(({ name, ok, message, advice }) => (
        <li key={name}>
          <Icon name={ok ? 'check' : 'times'} title={ok ? good : bad} /> {message}
          <ul style={{ paddingLeft: 24 }}>
            {(advice ?? []).map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </li>
      ))}
    </ul>
  );
}

/** The answer of the health check: one that found a fault comes as an error. */
async function healthOf(uid: string): Promise<Health> {
  try {
    return await getBackendSrv().get(`/api/datasources/uid/${uid}/health`, undefined, undefined, {
      showErrorAlert: false,
    });
  } catch (problem) {
    const { data, message } = Object(problem);
    return { message: message ?? 'The health check did not answer.', ...data };
  }
}
