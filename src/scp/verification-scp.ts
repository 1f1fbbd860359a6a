// Verification SCP: C-ECHO (PS3.4 Annex A).

import type { Service } from '../dimse/service-registry.ts';
import { Status } from '../dimse/status.ts';

export const verificationScp: Service = async () => ({ status: Status.success });
