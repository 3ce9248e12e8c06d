import { ntStatusName, ntSuccess } from '../../kernel/index.ts';
import {
  KSPROPERTY_AUDIO_CPU_RESOURCES,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPERTY_TYPE_TOPOLOGY,
  KSPROPSETID_Audio,
} from '../../ks/index.ts';
import { CONTROL_PROPERTIES, type ControlProperty } from '../controls/control-kinds.ts';
import type { FilterModel, NodeModel, NodePropertyModel } from '../inspect/model.ts';
import { encodeProperty, encodeUlong, type KsObject, longAt, ulongAt } from '../requests/ks-object.ts';
import type { CheckList } from './failure.ts';

const ALL_CHANNELS = 0xffffffff;
const CPU_RESOURCES = 'KSPROPERTY_AUDIO_CPU_RESOURCES';

/** The rules about node properties (PRO), asked of an open filter. Every control is set to other values and then back again. */
export function checkControls(list: CheckList, filter: FilterModel, object: KsObject): void {
  for (const node of filter.nodes) {
    for (const model of node.properties) {
      const where = `${filter.reference}, node ${node.id} (${node.type}), ${model.property}`;
      if (model.property === CPU_RESOURCES) {
        const value = ulongAt(
          object.getNode(KSPROPSETID_Audio, KSPROPERTY_AUDIO_CPU_RESOURCES, { node: node.id }, 4),
        );
        // KSAUDIO_CPU_RESOURCES_NOT_HOST_CPU and _HOST_CPU.
        list.must('PRO-021', where, value === 0 || value === 0x7fffffff, `value ${value}`);
      }
      const property = CONTROL_PROPERTIES.find((one) => one.property === model.property);
      if (property !== undefined) new ControlCheck(list, where, object, node, property, model).run();
    }
  }
}

class ControlCheck {
  readonly #list: CheckList;
  readonly #where: string;
  readonly #object: KsObject;
  readonly #node: NodeModel;
  readonly #property: ControlProperty;
  readonly #model: NodePropertyModel;

  constructor(
    list: CheckList,
    where: string,
    object: KsObject,
    node: NodeModel,
    property: ControlProperty,
    model: NodePropertyModel,
  ) {
    this.#list = list;
    this.#where = where;
    this.#object = object;
    this.#node = node;
    this.#property = property;
    this.#model = model;
  }

  run(): void {
    this.#checkSupport();
    if (!this.#model.get) return;
    if (this.#property.kind === 'selection') this.#checkSelection();
    else if (this.#property.perChannel) this.#checkChannels();
  }

  #request(verb: number, channel: number | null, output: Uint8Array | null, node = this.#node.id) {
    const words = channel === null ? [node, 0] : [node, 0, channel, 0];
    const flags = verb | KSPROPERTY_TYPE_TOPOLOGY;
    return this.#object.tryControl(
      encodeProperty(this.#property.set, this.#property.id, flags, words),
      output,
    );
  }

  /** The value, or null when the channel is refused. */
  #get(channel: number | null): number | null {
    const bytes = new Uint8Array(4);
    return ntSuccess(this.#request(KSPROPERTY_TYPE_GET, channel, bytes).status) ? longAt(bytes) : null;
  }

  #set(channel: number | null, value: number) {
    return this.#request(KSPROPERTY_TYPE_SET, channel, encodeUlong(value)).status;
  }

  #checkSupport(): void {
    const list = this.#list;
    const flags = new Uint8Array(4);
    const short = this.#request(KSPROPERTY_TYPE_BASICSUPPORT, null, flags);
    list.must(
      'PRO-001',
      this.#where,
      ntSuccess(short.status),
      `access flags alone: ${ntStatusName(short.status)}`,
    );
    const head = new Uint8Array(40);
    const answer = this.#request(KSPROPERTY_TYPE_BASICSUPPORT, null, head);
    if (ntSuccess(answer.status) && answer.information === 40) {
      const size = ulongAt(head, 4);
      const whole = new Uint8Array(size);
      const { information } = this.#request(KSPROPERTY_TYPE_BASICSUPPORT, null, whole);
      list.must(
        'PRO-002',
        this.#where,
        information === size,
        `DescriptionSize ${size}, ${information} bytes came`,
      );
      list.must(
        'PRO-003',
        this.#where,
        ulongAt(whole) === ulongAt(flags),
        'access flags differ between the short and the long answer',
      );
    }
    const { get, set, multichannel, ranges, valueType } = this.#model;
    if (this.#property.perChannel && ranges.length > 0) {
      list.must('PRO-005', this.#where, multichannel, 'the multichannel flag is not set');
      for (const { minimum, maximum, step } of ranges) {
        list.should(
          'PRO-007',
          this.#where,
          step > 0 && (maximum - minimum) % step === 0,
          `${minimum} to ${maximum} is no whole number of steps of ${step}`,
        );
        if (valueType === 'VT_BOOL')
          list.must(
            'PRO-006',
            this.#where,
            minimum === 0 && maximum === 1 && step === 1,
            'a BOOL goes from 0 to 1 by 1',
          );
      }
    }
    if (!get)
      list.must(
        'PRO-027',
        this.#where,
        this.#get(0) === null,
        'it can be read, although basic support says that it cannot',
      );
    if (!set)
      list.must(
        'PRO-027',
        this.#where,
        !ntSuccess(this.#set(0, 0)),
        'it can be set, although basic support says that it cannot',
      );
    const bad = this.#request(
      KSPROPERTY_TYPE_GET,
      this.#property.perChannel ? 0 : null,
      new Uint8Array(4),
      0xffffff,
    ).status;
    list.must('PRO-029', this.#where, !ntSuccess(bad), 'a node that does not exist is answered for');
    const plain = encodeProperty(this.#property.set, this.#property.id, KSPROPERTY_TYPE_GET, [
      this.#node.id,
      0,
      0,
      0,
    ]);
    list.must(
      'PRO-030',
      this.#where,
      !ntSuccess(this.#object.tryControl(plain, new Uint8Array(4)).status),
      'it answers without the topology flag',
    );
    for (const length of [1, 3]) {
      const { status } = this.#request(
        KSPROPERTY_TYPE_GET,
        this.#property.perChannel ? 0 : null,
        new Uint8Array(length),
      );
      if (get) list.must('PRO-032', this.#where, !ntSuccess(status), `it answers into ${length} bytes`);
    }
  }

  #checkChannels(): void {
    const list = this.#list;
    const { ranges, set, uniform } = this.#model;
    const channels = ranges.length;
    if (channels === 0) return;
    const before = ranges.map((_, channel) => this.#get(channel));
    for (const [channel, value] of before.entries())
      list.must('PRO-008', this.#where, value !== null, `channel ${channel} of ${channels} cannot be read`);
    list.must(
      'PRO-009',
      this.#where,
      this.#get(channels) === null,
      `channel ${channels} of ${channels} can be read`,
    );
    if (!set) return;
    for (const [channel, range] of ranges.entries()) {
      const { minimum, maximum, step } = range;
      for (const value of [minimum, maximum, minimum + Math.floor((maximum - minimum) / step / 2) * step]) {
        const status = this.#set(channel, value);
        list.must(
          'PRO-010',
          this.#where,
          ntSuccess(status),
          `channel ${channel} set to ${value}: ${ntStatusName(status)}`,
        );
        const taken = this.#get(channel) ?? Number.NaN;
        list.must(
          'PRO-010',
          this.#where,
          Math.abs(taken - value) <= step,
          `channel ${channel} set to ${value}, reads ${taken}`,
        );
      }
      if (this.#property.kind === 'level') {
        for (const [value, end] of [
          [0x7fffffff, maximum],
          [0x80000000, minimum],
        ] as const) {
          list.must(
            'PRO-011',
            this.#where,
            ntSuccess(this.#set(channel, value)),
            `a level out of range is refused`,
          );
          list.must(
            'PRO-011',
            this.#where,
            this.#get(channel) === end,
            `set beyond its end ${end} it reads ${this.#get(channel)}`,
          );
        }
      }
    }
    if (channels > 1 && !uniform) {
      const [first, second] = [ranges[0]?.maximum ?? 0, ranges[1]?.minimum ?? 0];
      this.#set(0, first);
      this.#set(1, second);
      list.should(
        'PRO-014',
        this.#where,
        this.#get(0) === first && this.#get(1) === second,
        'its channels are not independent',
      );
    }
    const end = ranges[0]?.minimum ?? 0;
    if (ntSuccess(this.#set(ALL_CHANNELS, end))) {
      const values = ranges.map((_, channel) => this.#get(channel));
      list.should(
        'PRO-012',
        this.#where,
        values.every((value) => value === end),
        `all channels set to ${end}, they read ${values}`,
      );
    }
    for (const [channel, value] of before.entries()) if (value !== null) this.#set(channel, value);
  }

  #checkSelection(): void {
    const before = this.#get(null);
    this.#list.must('PRO-017', this.#where, before !== null, 'it cannot be read');
    if (before === null || !this.#model.set) return;
    for (const value of [0, 0x7fffffff, 0xffffffff])
      this.#list.must(
        'PRO-017',
        this.#where,
        !ntSuccess(this.#set(null, value)),
        `it takes ${value}, which is none of its inputs`,
      );
    this.#list.must('PRO-017', this.#where, this.#get(null) === before, 'a refused value changed it');
  }
}
