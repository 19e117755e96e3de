import React from 'react';
import { ClipboardButton, Stack } from '@grafana/ui';
import { type Options } from './options';
import { provisioningYaml } from './provisioning';

/** The settings as a file for Grafana's provisioning/datasources. */
export default function ProvisioningYaml({ options }: { options: Options }) {
  const yaml = provisioningYaml(options);
  return (
    <Stack direction="column" gap={1} alignItems="flex-start">
      <p>
        For a file in Grafana&apos;s <code>provisioning/datasources</code>. Secrets are not shown: set the variables
        named in it for Grafana&apos;s process.
      </p>
      <pre aria-label="Provisioning file" style={{ alignSelf: 'stretch' }}>
        {yaml}
      </pre>
      <ClipboardButton variant="secondary" icon="copy" getText={() => yaml}>
        Copy
      </ClipboardButton>
    </Stack>
  );
}
