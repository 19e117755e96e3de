import React, { useState } from 'react';
import { type DataSourceSettings } from '@grafana/data';
import { Alert, Button, Stack } from '@grafana/ui';
import { backend } from './backend';
import { type DataSources } from './datasources';

interface Health {
  status?: string;
  message: string;
  details?: { verboseMessage?: string };
}

/** The config editor, and Grafana's "Save & test". */
export function SettingsPage({ datasources, uid }: { datasources: DataSources; uid: string }) {
  const [settings, setSettings] = useState(
    () => ({ secureJsonData: {}, ...datasources.getInstanceSettings(uid) }) as any
  );
  const [health, setHealth] = useState<Health>();
  const path = `/api/datasources/uid/${uid}`;
  const saveAndTest = async () => {
    setHealth(undefined);
    await backend.put(path, settings);
    await datasources.reload();
    const found = await backend.get(`${path}/health`).catch((problem) => problem.data);
    setSettings((before: DataSourceSettings) => ({ ...before, ...datasources.getInstanceSettings(uid) }));
    setHealth(found);
  };
  const Editor = datasources.plugin.components.ConfigEditor!;
  return (
    <div style={{ maxWidth: 800 }}>
      <h2>{settings.name}</h2>
      <Editor options={settings} onOptionsChange={setSettings} />
      <Stack direction="column" gap={2} alignItems="flex-start">
        <div aria-live="polite" style={{ width: '100%', whiteSpace: 'pre-line' }}>
          {health && (
            <Alert severity={health.status === 'OK' ? 'success' : 'error'} title={health.message}>
              {health.details?.verboseMessage}
            </Alert>
          )}
        </div>
        <Button onClick={saveAndTest}>Save & test</Button>
      </Stack>
    </div>
  );
}
