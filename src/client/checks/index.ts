/**
 * Rules that every driver is to keep, asked of it as any application can: by KS requests alone. Numbers are those of the
 * certification checks that the project follows (TOP topology, PIN pins, RNG data ranges, ISX intersection, PRO properties,
 * JCK jacks).
 */
import type { AudioClient } from '../audio-client.ts';
import { KsObject } from '../requests/ks-object.ts';
import { checkControls } from './control-checks.ts';
import { type CheckFailure, CheckList } from './failure.ts';
import { checkJacks } from './jack-checks.ts';
import { checkPins } from './pin-checks.ts';
import { checkTopology } from './topology-checks.ts';

export { type CheckFailure, formatFailures } from './failure.ts';
export { checkTopology } from './topology-checks.ts';

/**
 * Checks every filter on a machine; what fails is returned, in the order of the filters. No pin is opened. Controls are moved and
 * put back.
 */
export function checkDriver(audio: AudioClient): readonly CheckFailure[] {
  const filters = audio.inspect();
  const list = new CheckList();
  for (const filter of filters) {
    const object = new KsObject(audio.process, audio.process.createFile(filter.path));
    try {
      checkPins(list, filter.reference, object);
      checkControls(list, filter, object);
      checkJacks(list, filter, object);
    } finally {
      object.close();
    }
  }
  return [...checkTopology(filters), ...list.failures];
}
