package io.minimind.template;

import java.util.List;

/** What a rendering may still use up. */
final class Budget {

  private static final int CHARACTERS_PER_STEP = 16;

  private long steps = Template.MAX_STEPS;
  private int depth;

  void spend(long count) {
    if (count < 0) {
      throw new IllegalArgumentException("A negative number of steps: " + count);
    }
    steps -= count;
    if (steps < 0) {
      throw new Failure("the template takes more than %d steps", Template.MAX_STEPS);
    }
  }

  /** Accounts for a text that is made or searched. */
  void spendText(long length) {
    if (length > Template.MAX_LENGTH) {
      throw new Failure("a text would be longer than %d characters", Template.MAX_LENGTH);
    }
    spend(1 + length / CHARACTERS_PER_STEP);
  }

  /** Accounts for a value, which is given back: a text costs its length, all else nothing. */
  Object spendValue(Object value) {
    if (value instanceof String text) {
      spendText(text.length());
    }
    return value;
  }

  /** Accounts for a search, which may look at all of an argument at each place of the text. */
  void spendSearch(String text, Arguments arguments) {
    long cost = 1 + text.length() / CHARACTERS_PER_STEP;
    for (Object argument : arguments.positional()) {
      cost = searched(argument, cost);
    }
    for (Object argument : arguments.named().values()) {
      cost = searched(argument, cost);
    }
    spend(cost);
  }

  /** The cost with an argument that is sought; more than there can be of it would overflow. */
  private static long searched(Object argument, long cost) {
    return argument instanceof String text
        ? Math.min(cost * (1 + text.length() / (4L * CHARACTERS_PER_STEP)), Template.MAX_STEPS + 1)
        : cost;
  }

  /** Adds to a list that grows. */
  <T> void add(List<T> list, T item) {
    list.add(item);
    requireItems(list.size());
    spend(1);
  }

  /** Accounts for a list that is made. */
  void spendItems(long count) {
    requireItems(count);
    spend(1 + count);
  }

  private static void requireItems(long count) {
    if (count > Template.MAX_ITEMS) {
      throw new Failure("a list would have more than %d elements", Template.MAX_ITEMS);
    }
  }

  /** Counts one level of nesting more; each call is followed by one of {@link #leave}. */
  void enter() {
    if (++depth > Template.MAX_DEPTH) {
      throw new Failure("the evaluation is nested more than %d levels deep", Template.MAX_DEPTH);
    }
  }

  void leave() {
    depth--;
  }
}
