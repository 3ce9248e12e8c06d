/**
 * Names of pins and nodes. What a codec has is known at start only, so that names are made then, under GUIDs of this driver's own,
 * and their texts written to MediaCategories in the device's software key, where an INF would have put those of a known codec.
 */
import { GUID, guid } from '../../com/index.ts';
import { type DEVICE_OBJECT, encodeSz, KEY_ALL_ACCESS, REG_SZ } from '../../kernel/index.ts';
import { DriverRegistryKey, pcNewRegistryKey } from '../../portcls/index.ts';

/** The last word counts the names. */
const FIRST_NAME = guid('{6A1C7E40-52D3-4B8E-9D17-3F2A00000000}');

/** Gives out GUIDs for texts; the same ones for the same codecs. */
export class NameList {
  readonly #names = new Map<string, GUID>();

  guidOf(text: string): GUID {
    let name = this.#names.get(text);
    if (!name) {
      const number = this.#names.size + 1;
      // The last bytes of the registry form are the high ones of the word.
      const last = ((number & 0xff) << 24) | ((number & 0xff00) << 8) | FIRST_NAME.w3;
      name = new GUID(FIRST_NAME.w0, FIRST_NAME.w1, FIRST_NAME.w2, last >>> 0);
      this.#names.set(text, name);
    }
    return name;
  }

  /** Writes the texts to where the port driver looks for them. PASSIVE_LEVEL. */
  write(deviceObject: DEVICE_OBJECT): void {
    using driver = pcNewRegistryKey(null, DriverRegistryKey, KEY_ALL_ACCESS, deviceObject);
    using categories = driver.newSubKey(null, KEY_ALL_ACCESS, 'MediaCategories');
    for (const [text, name] of this.#names) {
      using key = categories.newSubKey(null, KEY_ALL_ACCESS, name.toString());
      key.setValueKey('Name', REG_SZ, encodeSz(text));
    }
  }
}

/** Texts that are used once: a second use gets a number behind it. */
export class UniqueTexts {
  readonly #used = new Set<string>();

  take(text: string): string {
    let result = text;
    for (let number = 2; this.#used.has(result); number++) result = `${text} ${number}`;
    this.#used.add(result);
    return result;
  }
}
