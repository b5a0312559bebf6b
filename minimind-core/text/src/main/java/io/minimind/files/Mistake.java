package io.minimind.files;

/**
 * What was given cannot be used: a file, a row, a setting, an option. The message is a sentence for
 * whoever gave it: what is wrong, where, what was expected, and where it helps what to do. What is
 * thrown is an {@link InputException} or an {@link ArgumentException}.
 *
 * <p>Another {@link java.io.IOException} is a failure of the machine, such as a full disk; anything
 * else is a defect, of this library or of the program that calls it.
 */
public interface Mistake {

  String getMessage();
}
