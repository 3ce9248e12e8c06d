import { NtError } from '../../kernel/index.ts';
import {
  decodeGuids,
  KSNODETYPE_SYNTHESIZER,
  KSPROPERTY_SYNTH_RUNNINGSTATS,
  KSPROPERTY_TOPOLOGY_NODES,
  KSPROPSETID_Synth,
  KSPROPSETID_Topology,
  SYNTH_STATS,
  SYNTH_STATS_LOST_NOTES,
  SYNTH_STATS_VOICES,
  viewOf,
} from '../../ks/index.ts';
import type { KsObject } from '../requests/ks-object.ts';

/** What a synthesizer tells of its work; null where it does not say. */
export interface SynthStatistics {
  /** Voices that sound now. */
  readonly voices: number | null;
  /** Notes that ended early, or never began, because all voices were in use. */
  readonly lostNotes: number | null;
}

/** KSPROPERTY_SYNTH_RUNNINGSTATS of the filter's synthesizer node; null when there is no such node or property. */
export function readSynthStatistics(filter: KsObject): SynthStatistics | null {
  try {
    const nodes = decodeGuids(filter.get(KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_NODES));
    const node = nodes.findIndex((type) => type.equals(KSNODETYPE_SYNTHESIZER));
    if (node < 0) return null;
    const bytes = filter.getNode(
      KSPROPSETID_Synth,
      KSPROPERTY_SYNTH_RUNNINGSTATS,
      { node },
      SYNTH_STATS.size,
    );
    const { validStats, voices, lostNotes } = SYNTH_STATS.read(viewOf(bytes), 0);
    return {
      voices: (validStats & SYNTH_STATS_VOICES) === 0 ? null : voices,
      lostNotes: (validStats & SYNTH_STATS_LOST_NOTES) === 0 ? null : lostNotes,
    };
  } catch (error) {
    if (error instanceof NtError) return null;
    throw error;
  }
}
