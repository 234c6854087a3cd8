/**
 * What a timer or a socket's event fails, and thousands at once: a stack would take most of the
 * time that an error costs, and lead only to that event.
 */
export function withoutStack<Fault>(make: () => Fault): Fault {
  const { stackTraceLimit } = Error;
  Reflect.set(Error, "stackTraceLimit", 0);
  try {
    return make();
  } finally {
    Reflect.set(Error, "stackTraceLimit", stackTraceLimit);
  }
}
