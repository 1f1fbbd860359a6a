// The machine and the programs of a run: numbers mean nothing without them.
import { spawnSync } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { NOISE } from '../support/synthetic-instances.ts';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  readonly orthanc: string;
  readonly dcmtk: string;
  /** 256 MB written and flushed once */
  readonly diskMbPerSecond: number;
  /** 4 KB written and flushed, one after the other */
  readonly diskFlushesPerSecond: number;
}

const DISK_BYTES = 256 << 20;
const FLUSHES = 300;

export async function describeMachine(folder: string): Promise<Machine> {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    orthanc: versionIn(spawnSync('Orthanc', ['--version']).stdout),
    dcmtk: versionIn(spawnSync('storescp', ['--version']).stdout),
    ...(await measureDisk(join(folder, 'disk.tmp'))),
  };
}

async function measureDisk(path: string): Promise<Pick<Machine, 'diskMbPerSecond' | 'diskFlushesPerSecond'>> {
  const file = await open(path, 'w');
  try {
    let start = performance.now();
    for (let offset = 0; offset < DISK_BYTES; offset += NOISE.length) {
      await file.write(NOISE, 0, NOISE.length, offset);
    }
    await file.datasync();
    const diskMbPerSecond = Math.round(DISK_BYTES / 1e6 / ((performance.now() - start) / 1000));
    start = performance.now();
    for (let flush = 0; flush < FLUSHES; flush++) {
      await file.write(NOISE, 0, 4096, DISK_BYTES + flush * 4096);
      await file.datasync();
    }
    const diskFlushesPerSecond = Math.round(FLUSHES / ((performance.now() - start) / 1000));
    return { diskMbPerSecond, diskFlushesPerSecond };
  } finally {
    await file.close();
    await rm(path);
  }
}

function versionIn(output: Buffer | null): string {
  return output?.toString().match(/\d+\.\d+\.\d+/)?.[0] ?? 'not installed';
}
