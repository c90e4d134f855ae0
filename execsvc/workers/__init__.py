"""The part that the supervisor's children share: lines of text through a pipe."""
