package io.minimind.infer;

import io.minimind.chat.Message;
import io.minimind.chat.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Tells apart what an answer thinks, says and calls, while it is being written and however it is
 * cut into pieces. What may turn out to be the beginning of a marker is held back, and so is
 * whitespace before one. Nothing is lost: what looks like a call and cannot be read is text.
 */
final class ReplyParser {
  private enum State {
    /** Nothing said yet: it may begin to think. */
    BEGINNING,
    REASONING,
    TEXT,
    CALL
  }

  private final ReplyFormat format;
  private final boolean tools;
  private final IntFunction<String> ids;
  private final StringBuilder held = new StringBuilder();
  private State state;
  private boolean skipping; // whitespace that belongs to a marker
  private int calls;

  /**
   * @param tools whether the answer may call one
   * @param thinking whether the prompt has begun the reasoning
   * @param ids gives the id of each call, counted from 0
   */
  ReplyParser(ReplyFormat format, boolean tools, boolean thinking, IntFunction<String> ids) {
    this.format = format;
    this.tools = tools;
    this.ids = ids;
    state = thinking ? State.REASONING : State.BEGINNING;
    skipping = thinking;
  }

  /** The message that a whole answer is. */
  Message message(String answer) {
    StringBuilder reasoning = new StringBuilder();
    StringBuilder text = new StringBuilder();
    List<ToolCall> made = new ArrayList<>();
    List<ReplyPart> parts = next(answer);
    parts.addAll(finish());
    for (ReplyPart part : parts) {
      if (part instanceof ReplyPart.Reasoning thought) {
        reasoning.append(thought.text());
      } else if (part instanceof ReplyPart.Text said) {
        text.append(said.text());
      } else if (part instanceof ReplyPart.Call call) {
        made.add(call.call());
      }
    }
    Message message = Message.assistant(text.toString());
    message = reasoning.isEmpty() ? message : message.withReasoning(reasoning.toString());
    return made.isEmpty() ? message : message.withToolCalls(made);
  }

  /** Takes the next piece and gives what is certain. */
  List<ReplyPart> next(String piece) {
    held.append(piece);
    List<ReplyPart> parts = new ArrayList<>();
    while (advance(parts)) {
      // Each step passes a marker.
    }
    return parts;
  }

  /** Ends the answer and gives what was held back. */
  List<ReplyPart> finish() {
    List<ReplyPart> parts = new ArrayList<>();
    switch (state) {
      case REASONING -> reasoning(strippedLength(), parts);
      case CALL -> call(held.length(), 0, parts);
      default -> text(held.length(), parts);
    }
    held.setLength(0);
    return parts;
  }

  /** Whether a marker was passed, so that there may be another. */
  private boolean advance(List<ReplyPart> parts) {
    if (skipping) {
      skipWhitespace();
    }
    return switch (state) {
      case BEGINNING -> begin();
      case REASONING -> reason(parts);
      case TEXT -> speak(parts);
      case CALL -> complete(parts);
    };
  }

  private void skipWhitespace() {
    int length = 0;
    while (length < held.length() && Character.isWhitespace(held.charAt(length))) {
      length++;
    }
    held.delete(0, length);
    skipping = held.length() == 0;
  }

  private boolean begin() {
    String seen = held.toString().stripLeading();
    if (seen.isEmpty() || format.thinks() && isBeginning(seen, ReplyFormat.THINK)) {
      return false;
    }
    if (format.thinks() && seen.startsWith(ReplyFormat.THINK)) {
      pass(held.indexOf(ReplyFormat.THINK) + ReplyFormat.THINK.length(), State.REASONING);
    } else if (tools && format.calls().begin().isEmpty() && seen.startsWith("{")) {
      state = State.CALL;
    } else {
      state = State.TEXT;
    }
    return true;
  }

  private static boolean isBeginning(String text, String marker) {
    return text.length() < marker.length() && marker.startsWith(text);
  }

  private void pass(int length, State next) {
    held.delete(0, length);
    skipping = true;
    state = next;
  }

  private boolean reason(List<ReplyPart> parts) {
    int end = held.indexOf(ReplyFormat.THINK_END);
    if (end < 0) {
      reasoning(certain(ReplyFormat.THINK_END), parts);
      return false;
    }
    String rest = held.substring(end);
    held.setLength(end);
    reasoning(strippedLength(), parts);
    held.setLength(0);
    held.append(rest);
    pass(ReplyFormat.THINK_END.length(), State.BEGINNING);
    return true;
  }

  private boolean speak(List<ReplyPart> parts) {
    String marker = format.calls().begin();
    if (!tools || marker.isEmpty()) {
      text(held.length(), parts);
      return false;
    }
    int begin = held.indexOf(marker);
    if (begin < 0) {
      text(certain(marker), parts);
      return false;
    }
    String rest = held.substring(begin + marker.length());
    held.setLength(begin);
    text(strippedLength(), parts);
    held.setLength(0);
    held.append(rest);
    state = State.CALL;
    return true;
  }

  private boolean complete(List<ReplyPart> parts) {
    String marker = format.calls().end();
    int end = marker.isEmpty() ? -1 : held.indexOf(marker);
    if (end < 0) {
      return false;
    }
    call(end, marker.length(), parts);
    return true;
  }

  /** Length of what is held without what may begin a marker, and whitespace before that. */
  private int certain(String marker) {
    int length = held.length();
    for (int n = Math.min(marker.length() - 1, length); n > 0; n--) {
      if (marker.startsWith(held.substring(length - n))) {
        length -= n;
        break;
      }
    }
    while (length > 0 && Character.isWhitespace(held.charAt(length - 1))) {
      length--;
    }
    return length;
  }

  private int strippedLength() {
    return held.toString().stripTrailing().length();
  }

  private void reasoning(int length, List<ReplyPart> parts) {
    if (length > 0) {
      parts.add(new ReplyPart.Reasoning(held.substring(0, length)));
      held.delete(0, length);
    }
  }

  private void text(int length, List<ReplyPart> parts) {
    if (length > 0) {
      parts.add(new ReplyPart.Text(held.substring(0, length)));
      held.delete(0, length);
    }
  }

  private void call(int length, int marker, List<ReplyPart> parts) {
    String body = held.substring(0, length);
    List<ToolCall> read = ReplyFormat.read(body, i -> ids.apply(calls + i));
    calls += read.size();
    read.forEach(call -> parts.add(new ReplyPart.Call(call)));
    if (read.isEmpty()) {
      String whole = format.calls().begin() + body + held.substring(length, length + marker);
      parts.add(new ReplyPart.Text(whole));
    }
    pass(length + marker, State.TEXT);
    skipping = !read.isEmpty();
  }
}
