package io.minimind.template;

/** What a template can call: a global function, a method, a macro. */
interface Function {

  /**
   * @throws Failure if it cannot be done with these arguments
   */
  Object call(Arguments arguments);
}
