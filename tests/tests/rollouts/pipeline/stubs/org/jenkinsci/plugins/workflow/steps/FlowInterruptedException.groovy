package org.jenkinsci.plugins.workflow.steps

// Stands for Jenkins' exception of this name: somebody has stopped the build.
class FlowInterruptedException extends InterruptedException {}
