/** Codec engines of src/hardware as the other end of the driver's verbs; tests only. */

import type { CodecLink } from '../../src/adapters/hda/codec/index.ts';
import { HdaCodec, type HdaJack } from '../../src/hardware/hda/codec.ts';
import type { HdaCodecDefinition } from '../../src/hardware/hda/definition.ts';
import { findHdaCodec } from '../../src/hardware/hda/index.ts';
import { NtError, STATUS_IO_TIMEOUT } from '../../src/kernel/index.ts';

/** One verb as it went over the link. */
export interface SentVerb {
  readonly nid: number;
  readonly verb: number;
  readonly payload: number;
}

/** A link with one codec on it that keeps what was sent and what the codec objected to. */
export class TestLink implements CodecLink {
  readonly codec: HdaCodec;
  readonly sent: SentVerb[] = [];
  readonly findings: string[] = [];

  constructor(definition: HdaCodecDefinition, jacks: Readonly<Record<number, HdaJack>> = {}, address = 0) {
    this.codec = new HdaCodec(definition, address, jacks, {
      finding: (what, data) => this.findings.push(`${what} ${JSON.stringify(data)}`),
    });
  }

  command(codecAddress: number, nid: number, verb: number, payload: number): number {
    if (codecAddress !== this.codec.address) throw new NtError(STATUS_IO_TIMEOUT);
    this.sent.push({ nid, verb, payload });
    return this.codec.execute(nid, verb, payload);
  }

  /** Verbs sent since the last call. */
  take(): readonly SentVerb[] {
    return this.sent.splice(0);
  }
}

export function definitionOf(name: string): HdaCodecDefinition {
  const definition = findHdaCodec(name);
  if (definition === undefined) throw new Error(`no codec ${name}`);
  return definition;
}
