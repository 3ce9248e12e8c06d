import {
  ntStatusName,
  ntSuccess,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INVALID_PARAMETER,
} from '../../kernel/index.ts';
import {
  KSPROPERTY_JACK_DESCRIPTION,
  KSPROPERTY_JACK_DESCRIPTION2,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_Jack,
} from '../../ks/index.ts';
import type { FilterModel } from '../inspect/model.ts';
import { encodeProperty, type KsObject, ulongAt } from '../requests/ks-object.ts';
import type { CheckList } from './failure.ts';

const DESCRIPTION_BYTES = 28;
const DESCRIPTION2_BYTES = 8;

/** The rules about jacks (JCK), for filters that describe theirs. */
export function checkJacks(list: CheckList, filter: FilterModel, object: KsObject): void {
  if (object.support(KSPROPSETID_Jack, KSPROPERTY_JACK_DESCRIPTION) === null) return;
  const ask = (id: number, pin: number, output: Uint8Array | null) =>
    object.tryControl(encodeProperty(KSPROPSETID_Jack, id, KSPROPERTY_TYPE_GET, [pin, 0]), output);
  const bad = ask(KSPROPERTY_JACK_DESCRIPTION, filter.pins.length, new Uint8Array(256)).status;
  list.must(
    'JCK-002',
    filter.reference,
    bad === STATUS_INVALID_PARAMETER,
    `a pin that does not exist gets ${ntStatusName(bad)}`,
  );
  for (const pin of filter.pins) {
    const where = `${filter.reference}, pin ${pin.id}`;
    const query = ask(KSPROPERTY_JACK_DESCRIPTION, pin.id, null);
    list.must(
      'JCK-002',
      where,
      query.status === STATUS_BUFFER_OVERFLOW,
      `a size query ends with ${ntStatusName(query.status)}`,
    );
    const short = ask(KSPROPERTY_JACK_DESCRIPTION, pin.id, new Uint8Array(4)).status;
    list.must(
      'JCK-002',
      where,
      short === STATUS_BUFFER_TOO_SMALL,
      `a short buffer gets ${ntStatusName(short)}`,
    );
    const bytes = new Uint8Array(256);
    const answer = ask(KSPROPERTY_JACK_DESCRIPTION, pin.id, bytes);
    if (!ntSuccess(answer.status)) continue;
    const [size, count] = [ulongAt(bytes), ulongAt(bytes, 4)];
    list.must(
      'JCK-001',
      where,
      size === answer.information && size === 8 + count * DESCRIPTION_BYTES,
      `${count} descriptions in ${size} bytes`,
    );
    const second = new Uint8Array(256);
    if (ntSuccess(ask(KSPROPERTY_JACK_DESCRIPTION2, pin.id, second).status) && count > 0) {
      list.must(
        'JCK-007',
        where,
        ulongAt(second, 4) === count && ulongAt(second) === 8 + count * DESCRIPTION2_BYTES,
        'the two descriptions do not have the same count',
      );
    }
    for (const jack of pin.jacks) {
      if (pin.dataFlow === 'in')
        list.must(
          'JCK-004',
          where,
          jack.channelMapping === 0,
          `channel mapping ${jack.channelMapping} of an input`,
        );
      list.must('JCK-003', where, jack.connection !== 'unknown connector', 'its connector is not described');
      // Presence detection is said in the second description's capabilities, bit 0.
      if ((ulongAt(second, 12) & 1) === 0)
        list.must(
          'JCK-005',
          where,
          jack.connected,
          'nothing detects plugs, and yet it is said to be unplugged',
        );
    }
  }
}
