import { CodecError } from "../../errors.js";
import { quote } from "../../util/show.js";
import { isPlainObject, setProperty } from "../plain.js";

/**
 * What a class named in a pickle becomes. A pickle can only ever reach what stands in
 * the table: nothing is imported, looked up or called by a name it brings along.
 */
export interface PickleClass {
  /** Makes the value from the arguments that the pickle gives. */
  create(...args: unknown[]): unknown;
  /**
   * Puts an instance's state (mostly its attributes) into it, and returns it or what
   * stands for it. Without this, a pickle with state is refused.
   */
  build?(instance: unknown, state: unknown): unknown;
  /** A member of the class by name, for enums that Python pickled by name. */
  member?(name: string): unknown;
  /**
   * What `create` returns is new each time, so that the pickle may put items into it
   * (a subclass of list, dict or set, which is then an array, object or Map, or Set).
   * @defaultValue false
   */
  readonly fresh?: boolean;
}

/** A class by the function that makes its values, or in full. */
export type PickleConstructor = PickleClass | ((...args: unknown[]) => unknown);

/** Classes by `module.name`, as `"app.models.Point"`. */
export type PickleClasses = Readonly<Record<string, PickleConstructor>>;

/** A class that stands on the machine's stack until it is called. */
export class ClassReference {
  readonly name: string;
  readonly definition: PickleClass;

  constructor(name: string, definition: PickleClass) {
    this.name = name;
    this.definition = definition;
  }
}

/**
 * A class read as a plain object: the arguments under the names given, as of a
 * namedtuple, and the attributes that make its state. The state of a frozen dataclass
 * with slots is its fields' values, which need their names as well.
 */
export function pickledObject(...fields: string[]): PickleClass {
  const fill = (instance: object, values: readonly unknown[]) => {
    if (values.length > fields.length) {
      throw new CodecError(
        `pickledObject() names ${fields.length} of an instance's ${values.length} values`,
      );
    }
    for (const [i, value] of values.entries()) setAttribute(instance, fields[i]!, value);
    return instance;
  };
  return {
    fresh: true,
    create: (...args) => fill({}, args),
    build(instance, state) {
      const attributes = attributesOf(state);
      if (attributes === undefined) return fill(instance as object, state as unknown[]);
      for (const [name, value] of Object.entries(attributes)) {
        setAttribute(instance as object, name, value);
      }
      return instance;
    },
  };
}

/**
 * The attributes that a state says by their names; undefined for an array of values. Slots come as a
 * second dictionary, and None is in the place of the first where there is no other attribute.
 */
function attributesOf(state: unknown): object | undefined {
  if (isPlainObject(state)) return state;
  if (!Array.isArray(state)) {
    throw new CodecError(
      "An instance's state is not its attributes; define the class with a build()",
    );
  }
  const [own, slots] = state;
  const isNamed =
    state.length === 2 && isPlainObject(slots) && (own === null || isPlainObject(own));
  return isNamed ? { ...own, ...slots } : undefined;
}

/** On a subclass of dict it is an item. */
function setAttribute(instance: object, name: string, value: unknown): void {
  if (instance instanceof Map) instance.set(name, value);
  else setProperty(instance, name, value);
}

/**
 * An enum read by its members' values. Python up to 3.11 pickles a member by its name,
 * for which the values have to be given; later ones pickle the value.
 */
export function pickledEnum(members: Readonly<Record<string, unknown>> = {}): PickleClass {
  return {
    create: (value) => value,
    member(name) {
      if (Object.hasOwn(members, name)) return members[name];
      throw new CodecError(
        `A pickle has the enum member ${quote(name, 100)}, whose value is not given`,
      );
    },
  };
}
