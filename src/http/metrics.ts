// What Prometheus can read: this process, associations, instances stored.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Archive } from '../archive/archive.ts';

export interface MetricsOptions {
  readonly archive: Archive;
  readonly associations: () => number;
}

/** A registry that follows the archive. */
export function createMetrics({ archive, associations }: MetricsOptions): Registry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const stored = new Counter({
    name: 'angiovault_instances_stored_total',
    help: 'Instances acknowledged, by what became of them.',
    labelNames: ['outcome'],
    registers,
  });
  const bytes = new Histogram({
    name: 'angiovault_instance_bytes',
    help: 'Size of the data sets acknowledged.',
    buckets: [1e4, 1e5, 1e6, 1e7, 1e8, 1e9],
    registers,
  });
  archive.on('instanceStored', ({ outcome, record }) => {
    stored.inc({ outcome });
    bytes.observe(record.location.dataSetBytes);
  });
  new Gauge({
    name: 'angiovault_associations',
    help: 'Associations open now.',
    registers,
    collect() {
      this.set(associations());
    },
  });
  new Gauge({
    name: 'angiovault_pending_instances',
    help: 'Instances safe on the volume that the catalogue does not hold yet.',
    registers,
    collect() {
      this.set(archive.pendingInstances);
    },
  });
  return registry;
}
